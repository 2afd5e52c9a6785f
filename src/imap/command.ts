import type { Flags } from '../interfaces/index.js'
import type { SequenceSet } from './sequence-set.js'

/**
 * Every command that the session acts on, as the parser leaves it. Mailbox names are decoded to Unicode and INBOX
 * is in capitals; strings that are compared with message text hold one octet a character.
 *
 * CAPABILITY, NOOP's tagged reply, LOGOUT, STARTTLS, AUTHENTICATE's exchange, IDLE's `DONE` and the literals of
 * APPEND belong to the engine and never appear here as text to parse.
 */
export type Command =
  | { readonly name: 'LOGIN'; readonly user: string; readonly password: string }
  | { readonly name: 'NOOP' }
  | { readonly name: 'CHECK' }
  | { readonly name: 'ID'; readonly parameters: readonly (readonly [string, string | null])[] | null }
  | { readonly name: 'ENABLE'; readonly capabilities: readonly string[] }
  | { readonly name: 'NAMESPACE' }
  | { readonly name: 'SELECT'; readonly mailbox: string }
  | { readonly name: 'EXAMINE'; readonly mailbox: string }
  | { readonly name: 'CREATE'; readonly mailbox: string }
  | { readonly name: 'DELETE'; readonly mailbox: string }
  | { readonly name: 'RENAME'; readonly from: string; readonly to: string }
  | { readonly name: 'SUBSCRIBE'; readonly mailbox: string }
  | { readonly name: 'UNSUBSCRIBE'; readonly mailbox: string }
  | { readonly name: 'LIST'; readonly reference: string; readonly pattern: string }
  | { readonly name: 'LSUB'; readonly reference: string; readonly pattern: string }
  | { readonly name: 'STATUS'; readonly mailbox: string; readonly items: readonly StatusItem[] }
  | { readonly name: 'IDLE' }
  | { readonly name: 'CLOSE' }
  | { readonly name: 'UNSELECT' }
  /** `uids` is null for EXPUNGE, a set for UID EXPUNGE (RFC 4315 section 2.1). */
  | { readonly name: 'EXPUNGE'; readonly uids: SequenceSet | null }
  | {
      readonly name: 'SEARCH'
      readonly uid: boolean
      readonly charset: string | null
      readonly key: SearchKey
    }
  | {
      readonly name: 'FETCH'
      readonly uid: boolean
      readonly set: SequenceSet
      readonly items: readonly FetchItem[]
    }
  | {
      readonly name: 'STORE'
      readonly uid: boolean
      readonly set: SequenceSet
      readonly mode: 'add' | 'remove' | 'replace'
      readonly silent: boolean
      readonly flags: Flags
    }
  | { readonly name: 'COPY'; readonly uid: boolean; readonly set: SequenceSet; readonly mailbox: string }
  | { readonly name: 'MOVE'; readonly uid: boolean; readonly set: SequenceSet; readonly mailbox: string }

export type StatusItem = 'MESSAGES' | 'RECENT' | 'UIDNEXT' | 'UIDVALIDITY' | 'UNSEEN'

/** RFC 3501 section 6.4.5, the macros expanded. */
export type FetchItem =
  | { readonly type: 'ENVELOPE' }
  | { readonly type: 'FLAGS' }
  | { readonly type: 'INTERNALDATE' }
  | { readonly type: 'RFC822.SIZE' }
  | { readonly type: 'UID' }
  /** BODY without a section, and BODYSTRUCTURE with its extension data. */
  | { readonly type: 'BODYSTRUCTURE'; readonly extensible: boolean }
  | {
      readonly type: 'BODY'
      readonly section: Section
      /** BODY.PEEK, RFC822.HEADER: does not set \Seen. */
      readonly peek: boolean
      readonly partial: { readonly offset: number; readonly length: number } | null
      /** What the response calls it: `BODY[...]` in canonical spelling, or RFC822, RFC822.HEADER, RFC822.TEXT. */
      readonly label: string
    }

/** A section specification: a part (empty for the message itself) and what of it. */
export interface Section {
  readonly part: readonly number[]
  readonly text:
    | { readonly type: 'WHOLE' | 'HEADER' | 'TEXT' | 'MIME' }
    /** Field names in capitals. */
    | { readonly type: 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT'; readonly fields: readonly string[] }
}

/** RFC 3501 section 6.4.4. Nesting is bounded by the parser. Dates are days: milliseconds of their midnight as if in UTC. */
export type SearchKey =
  | { readonly type: 'ALL' }
  | { readonly type: 'AND'; readonly keys: readonly SearchKey[] }
  | { readonly type: 'OR'; readonly keys: readonly [SearchKey, SearchKey] }
  | { readonly type: 'NOT'; readonly key: SearchKey }
  | { readonly type: 'SEQUENCE'; readonly set: SequenceSet }
  | { readonly type: 'UID'; readonly set: SequenceSet }
  /** ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, KEYWORD as set; UN... as not set. */
  | { readonly type: 'FLAG'; readonly flag: string; readonly set: boolean }
  /** RECENT (true), OLD (false); NEW is AND(RECENT, FLAG \Seen not set). */
  | { readonly type: 'RECENT'; readonly set: boolean }
  | { readonly type: 'INTERNALDATE'; readonly test: 'before' | 'on' | 'since'; readonly day: number }
  | { readonly type: 'SENTDATE'; readonly test: 'before' | 'on' | 'since'; readonly day: number }
  | { readonly type: 'SIZE'; readonly test: 'larger' | 'smaller'; readonly octets: number }
  /** FROM, TO, CC, BCC, SUBJECT, HEADER: the field's decoded text holds `text`, or the field is there where `text` is empty. */
  | { readonly type: 'HEADER'; readonly field: string; readonly text: string }
  | { readonly type: 'BODY'; readonly text: string }
  | { readonly type: 'TEXT'; readonly text: string }

/** What the session answers a command with. */
export type Status = 'OK' | 'NO' | 'BAD'

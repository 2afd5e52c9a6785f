import type { MessageFacts } from './message-facts.js'

/** The name of a mailbox in a store; stays the same when the mailbox is renamed. Opaque. */
export type MailboxId = string

/**
 * Flags as the protocols write them: `\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`, and keywords. Never
 * `\Recent`. A store hands out the same array for the same set of flags, so that a caller may key a cache by it.
 * Flags are compared without case; the first spelling of a keyword in a mailbox is kept.
 */
export type Flags = readonly string[]

/** What a store can do, known before anyone logs in, since capabilities follow from it. */
export interface StoreFeatures {
  /** `changes` keeps tombstones, so that CONDSTORE and QRESYNC can be offered. */
  readonly changes: boolean
  /** Octets of the largest message it takes. */
  readonly maxMessageSize: number
  /** The separator of mailbox names, one character. */
  readonly delimiter: string
}

/** Message octets on their way in. Nothing of it can be seen by anyone until an `append` of its Body is applied. */
export interface Staged {
  /** Takes the next octets; their memory must not be changed afterwards. A promise is backpressure. */
  write(chunk: Uint8Array): void | Promise<void>
  /**
   * Ends the message. `prefix` are octets to stand before what was written (Return-Path, Received); `facts` describe
   * the whole with the prefix. Rejects with MailError `diskFull`, `tooLarge` or `unavailable`.
   */
  seal(facts: MessageFacts, prefix?: Uint8Array): Promise<Body>
  /** Drops everything; legal at any time before `seal`. */
  abort(): Promise<void>
}

/** A complete message that the store holds and no mailbox shows yet. Opaque; dropped when never appended. */
export interface Body {
  readonly size: number
  /** Frees what it holds, once it will not be appended (again). What was appended stays. */
  discard(): Promise<void>
}

/** Which messages: UIDs in ascending order, each once. */
export type Uids = readonly number[]

/** One change. Everything in one `apply` happens, or nothing does. */
export type Op =
  | {
      readonly type: 'append'
      readonly body: Body
      /** The same Body may go to many mailboxes. */
      readonly to: readonly {
        readonly mailbox: MailboxId
        readonly flags: Flags
        /** Milliseconds since 1970. */
        readonly internalDate: number
      }[]
    }
  | { readonly type: 'copy'; readonly from: MailboxId; readonly uids: Uids; readonly to: MailboxId }
  | { readonly type: 'move'; readonly from: MailboxId; readonly uids: Uids; readonly to: MailboxId }
  | { readonly type: 'expunge'; readonly mailbox: MailboxId; readonly uids: Uids }
  | {
      readonly type: 'setFlags'
      readonly mailbox: MailboxId
      readonly uids: Uids
      readonly mode: 'add' | 'remove' | 'replace'
      readonly flags: Flags
      /** Messages whose mod-sequence is higher are left alone and told as `modified` (RFC 7162 section 3.1.3). */
      readonly unchangedSince?: number
    }

/** Where a message went. */
export interface Placed {
  readonly mailbox: MailboxId
  readonly uidValidity: number
  readonly uid: number
  readonly modSeq: number
}

/** What an Op did, in the order of the Ops. UIDs that were not there are left out of copy, move and expunge. */
export type Result =
  | { readonly type: 'append'; readonly placed: readonly Placed[] }
  | {
      readonly type: 'copy' | 'move'
      readonly uidValidity: number
      /** `from[i]` became `to[i]`; both ascend. */
      readonly from: Uids
      readonly to: Uids
      readonly modSeq: number
    }
  | { readonly type: 'expunge'; readonly uids: Uids; readonly modSeq: number }
  | {
      readonly type: 'setFlags'
      readonly changed: readonly { readonly uid: number; readonly modSeq: number; readonly flags: Flags }[]
      readonly modified: Uids
      readonly missing: Uids
    }

/** Where mail is kept. UIDs, flags and octets only: sequence numbers and protocol words are the library's. */
export interface MailStore {
  readonly features: StoreFeatures
  /**
   * The account of `user`, made with INBOX and the special-use mailboxes when it is opened for the first time.
   * Whether there is such a user is for the directory to say, not for the store.
   */
  open(user: string): Promise<Account>
  /** Begins to take a message. `sizeHint` in octets; rejects with `tooLarge` where it is over the store's limit. */
  stage(sizeHint?: number): Promise<Staged>
  /**
   * Applies the ops in one atomic step; resolves when they are durable. Calls made at the same time may share one
   * commit. A copy or expunge of many messages never holds up other sessions for its whole length.
   */
  apply(ops: readonly Op[]): Promise<readonly Result[]>
  /** Finishes what was begun, refuses anything new with MailError `closed`, and lets go of the files. */
  close(): Promise<void>
}

/** RFC 6154 section 2, as the store keeps it. */
export type SpecialUse = '\\Archive' | '\\Drafts' | '\\Flagged' | '\\Junk' | '\\Sent' | '\\Trash' | '\\All'

export interface MailboxInfo {
  readonly id: MailboxId
  /** The full name in Unicode, levels divided by `StoreFeatures.delimiter`; INBOX in capitals. */
  readonly name: string
  readonly specialUse: SpecialUse | null
  readonly subscribed: boolean
  /** False for a name that exists only as a level above others (RFC 3501 section 6.3.4). */
  readonly selectable: boolean
  readonly hasChildren: boolean
}

export interface MailboxStatus {
  readonly messages: number
  readonly recent: number
  readonly unseen: number
  readonly uidNext: number
  readonly uidValidity: number
  readonly highestModSeq: number
  /** Octets of all messages. */
  readonly size: number
}

/** One user's mailboxes, as one session holds them. */
export interface Account {
  readonly user: string
  /** Every mailbox, sorted by name; also names that are subscribed and do not exist (with `selectable` false, id ''). */
  list(): Promise<readonly MailboxInfo[]>
  /** The mailbox of that exact name (INBOX in any case), or null. */
  find(name: string): Promise<MailboxInfo | null>
  status(name: string): Promise<MailboxStatus>
  /** Makes the mailbox and the levels above it. MailError `exists`, `invalidName` or `limit`. */
  create(name: string, specialUse?: SpecialUse): Promise<MailboxInfo>
  /** Removes the mailbox and its messages. MailError `notFound`, `hasChildren` (nothing to keep a name for) or `forbidden` (INBOX). */
  remove(name: string): Promise<void>
  /** Renames with all inferiors; of INBOX moves the messages to a new mailbox (RFC 3501 section 6.3.5). */
  rename(from: string, to: string): Promise<void>
  /** A name may be subscribed before it exists and after it is gone (RFC 3501 section 6.3.6). */
  subscribe(name: string, subscribed: boolean): Promise<void>
  /**
   * Opens a mailbox. `exclusive` is POP3's lock against other exclusive holders; IMAP and delivery go on beside it.
   * MailError `notFound` or `inUse`.
   */
  select(name: string, mode: 'read' | 'write' | 'exclusive'): Promise<Mailbox>
  /**
   * Calls `listener` after each commit that changed the mailbox, in this process; may call it needlessly, never
   * leaves one out. Returns the way to stop.
   */
  watch(listener: (mailbox: MailboxId) => void): () => void
  close(): Promise<void>
}

/** A mailbox at one moment. All arrays run in parallel, by ascending UID, and are never changed afterwards. */
export interface Snapshot {
  readonly uidValidity: number
  readonly uidNext: number
  readonly highestModSeq: number
  readonly uids: readonly number[]
  readonly flags: readonly Flags[]
  readonly modSeqs: readonly number[]
  /** Every keyword in use or used before in the mailbox. */
  readonly keywords: readonly string[]
}

/** What happened after a mod-sequence. A message that came and went in between is in `vanished` only. */
export interface Changes {
  readonly added: readonly { readonly uid: number; readonly flags: Flags; readonly modSeq: number }[]
  readonly flags: readonly { readonly uid: number; readonly flags: Flags; readonly modSeq: number }[]
  readonly vanished: Uids
  /** The mod-sequence up to which this tells everything; ask again from here. */
  readonly upTo: number
}

export interface MessageInfo {
  readonly uid: number
  readonly size: number
  /** Milliseconds since 1970. */
  readonly internalDate: number
  /** Asked for by `want.facts`, else null. */
  readonly facts: MessageFacts | null
  /** The whole message, where `want.bodyUpTo` asked for it and it is no larger, else null. */
  readonly body: Uint8Array | null
}

export interface MessageWant {
  readonly facts?: boolean
  /** Octets; bodies up to this size come along. */
  readonly bodyUpTo?: number
}

/** A mailbox that one session has open. */
export interface Mailbox {
  readonly id: MailboxId
  readonly name: string
  readonly uidValidity: number
  readonly readOnly: boolean
  snapshot(): Promise<Snapshot>
  /** The messages of those UIDs that are still there, in ascending order, in blocks; other sessions run between blocks. */
  messages(uids: Uids, want: MessageWant): AsyncIterable<readonly MessageInfo[]>
  /** Octets `from` to `to` (not included) of a message; MailError `expunged` when it is gone. */
  read(uid: number, from?: number, to?: number): AsyncIterable<Uint8Array>
  /** Everything after `since`, or `expired` when the store has forgotten that far back. */
  changes(since: number): Promise<Changes | 'expired'>
  /**
   * Takes the `\Recent` flag for this session (RFC 3501 section 2.3.2): every message with a UID of at least the
   * returned number that no session has been told of before is recent here. A `read` mailbox only looks.
   */
  claimRecent(): Promise<number>
  close(): Promise<void>
}

import type { MailDate } from './date.js'
import type { Defect } from './defects.js'
import type { Headers } from './headers.js'
import type { Address } from './mailboxes.js'

/** One part of a parsed message. Offsets count octets from the start of the octets that were parsed. */
export interface ParsedPart {
  readonly headers: Headers
  /** In lower case, for example `text/plain`. */
  readonly type: string
  /** Of Content-Type, decoded (RFC 2231), by name in lower case. */
  readonly parameters: ReadonlyMap<string, string>
  /** Of Content-Disposition, in lower case, for example `attachment`. */
  readonly disposition: string | null
  /** Of Content-Disposition or, where that has none, the `name` of Content-Type; decoded, with whatever path it holds. */
  readonly filename: string | null
  /** Without angle brackets. */
  readonly contentId: string | null
  readonly description: string | null
  /** Content-Transfer-Encoding in lower case; `7bit` where absent. */
  readonly encoding: string
  readonly headerOffset: number
  readonly bodyOffset: number
  readonly endOffset: number
  /** The part as it stands, header and body: what a signature in multipart/signed covers. Null when read from a stream with a sink. */
  readonly raw: Uint8Array | null
  /**
   * A leaf's body, its transfer encoding undone; of a message inside its octets as they stand. Null for a multipart
   * (unless it has no parts but octets), and for what went to a sink.
   */
  readonly content: Uint8Array | null
  readonly parts: readonly ParsedPart[]
  /** The message inside a message/rfc822 or message/global, also one that is encoded. */
  readonly message: ParsedMessage | null
}

/** What a reader of mail calls an attachment. */
export interface Attachment {
  /** A part, or a file inside one: uuencoded or yEnc encoded in a text, or in a winmail.dat. */
  readonly source: 'part' | 'uuencode' | 'yenc' | 'tnef'
  readonly filename: string | null
  readonly type: string
  readonly disposition: string | null
  readonly contentId: string | null
  readonly content: Uint8Array | null
  /** The part it is, or stands in. */
  readonly part: ParsedPart
}

/** A message as an object: level 3. */
export interface ParsedMessage {
  readonly headers: Headers
  readonly from: readonly Address[]
  readonly sender: readonly Address[]
  readonly replyTo: readonly Address[]
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  readonly bcc: readonly Address[]
  readonly subject: string | null
  readonly date: MailDate | null
  /** Without angle brackets, like those of the next two. */
  readonly messageId: string | null
  readonly inReplyTo: readonly string[]
  readonly references: readonly string[]
  /** The text/plain body (RFC 8621 section 4.1.4 says which parts are), or null: see `htmlToText`. */
  readonly text: string | null
  /** The text/html body, or null. */
  readonly html: string | null
  readonly attachments: readonly Attachment[]
  readonly root: ParsedPart
  /** Every part in the order in which they begin, those of messages inside left out. */
  readonly parts: readonly ParsedPart[]
  /** What was wrong, up to 1,000; of a message inside: empty unless it was encoded, since the outer one lists them. */
  readonly defects: readonly Defect[]
  /** Octets. */
  readonly size: number
}

/**
 * What is known of a message once it has been parsed: enough to answer ENVELOPE, BODY, BODYSTRUCTURE and every part
 * specifier without reading its body again. Plain JSON values, so that a store can keep it as text.
 *
 * Every string holds one octet a character (latin1): header text is kept as it stands in the message, unfolded and
 * not decoded, so that nothing is lost and no charset is guessed.
 */
export interface MessageFacts {
  /** Octets of the whole message. */
  readonly size: number
  readonly root: PartFacts
  readonly envelope: Envelope
}

/** The fields of RFC 3501 section 7.4.2, ENVELOPE. Null where the field is absent. */
export interface Envelope {
  readonly date: string | null
  readonly subject: string | null
  readonly from: readonly EnvelopeAddress[]
  /** Empty where the field is absent: the reader falls back to `from` itself. */
  readonly sender: readonly EnvelopeAddress[]
  readonly replyTo: readonly EnvelopeAddress[]
  readonly to: readonly EnvelopeAddress[]
  readonly cc: readonly EnvelopeAddress[]
  readonly bcc: readonly EnvelopeAddress[]
  readonly inReplyTo: string | null
  readonly messageId: string | null
}

/**
 * One address. A group begins with an entry whose `host` is null and whose `mailbox` is the group's name, and ends
 * with one where both are null (RFC 3501 section 7.4.2).
 */
export interface EnvelopeAddress {
  /** The display name with its quoting removed, encoded words left as they are. */
  readonly name: string | null
  /** The obsolete source route, for example `@a,@b`. */
  readonly route: string | null
  readonly mailbox: string | null
  readonly host: string | null
}

/** One parameter of Content-Type or Content-Disposition, as it stands: RFC 2231 sections are not joined. */
export type Parameter = readonly [name: string, value: string]

/**
 * One MIME part. Offsets count octets from the start of the message: the header is `headerOffset` to `bodyOffset`
 * (its empty line included), the body `bodyOffset` to `endOffset` (without the CRLF that belongs to a boundary).
 */
export interface PartFacts {
  /** Lower case, for example `text`; what stands for an absent or unusable Content-Type is RFC 2045 section 5.2's. */
  readonly type: string
  /** Lower case, for example `plain`. */
  readonly subtype: string
  readonly parameters: readonly Parameter[]
  readonly id: string | null
  readonly description: string | null
  /** Content-Transfer-Encoding in lower case; `7bit` where absent. */
  readonly encoding: string
  readonly md5: string | null
  readonly disposition: { readonly type: string; readonly parameters: readonly Parameter[] } | null
  readonly language: readonly string[]
  readonly location: string | null
  readonly headerOffset: number
  readonly bodyOffset: number
  readonly endOffset: number
  /** Line ends in the body. */
  readonly lines: number
  /** The children of a multipart; empty for every other type. */
  readonly parts: readonly PartFacts[]
  /** The message inside a message/rfc822 or message/global; null for every other type. */
  readonly message: { readonly envelope: Envelope; readonly root: PartFacts } | null
}

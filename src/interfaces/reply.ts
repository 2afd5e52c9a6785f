/** An SMTP reply (RFC 5321 section 4.2) with its enhanced status code (RFC 3463). */
export interface Reply {
  /** 200 to 599. */
  readonly code: number
  /** Class.subject.detail, for example `5.1.1`; empty for none. */
  readonly enhanced: string
  /** One string a line, without the code; at least one. */
  readonly lines: readonly string[]
}

/** A Reply of one line. */
export function reply(code: number, enhanced: string, text: string): Reply {
  return { code, enhanced, lines: [text] }
}

/** The GS2 header of a message (RFC 5801 section 4), as SCRAM and OAUTHBEARER begin. */
export interface Gs2Header {
  /** As it came, with its last comma: SCRAM has it repeated. */
  readonly header: string
  /** The client asks for channel binding, `p=`. */
  readonly bound: boolean
  /** Empty where the client names none. */
  readonly authorizationId: string
  /** What follows the header. */
  readonly rest: string
}

const HEADER = /^((?:[ny]|(p)=[A-Za-z0-9.-]+),(?:a=([^,\0]+))?,)(.*)$/s

/**
 * Reads a message that begins with a header; null for one that does not.
 *
 *     gs2-header     = gs2-cbind-flag "," [ authzid ] ","     ; RFC 5802 section 7
 *     gs2-cbind-flag = ("p=" cb-name) / "n" / "y"
 *     authzid        = "a=" saslname
 */
export function parseGs2(message: string): Gs2Header | null {
  const [, header, bound, name, rest = ''] = HEADER.exec(message) ?? []
  if (header === undefined) return null
  const authorizationId = name === undefined ? '' : parseSaslName(name)
  return authorizationId === null ? null : { header, bound: bound !== undefined, authorizationId, rest }
}

/** A `saslname` (RFC 5802 section 5.1) for a name. */
export function saslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** The name that a `saslname` stands for; null where a `=` begins neither `=2C` nor `=3D`. */
export function parseSaslName(text: string): string | null {
  if (/=(?!2C|3D)/.test(text)) return null
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

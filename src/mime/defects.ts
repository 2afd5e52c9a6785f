/**
 * What was wrong with a message.
 *
 * - `headerMissing`: a part begins with a line that is no header field, and all of it is taken for body.
 * - `firstLineUnusable`: a message begins with a line that is no header field, but fields follow; the line is kept in the
 *   header as one without a name.
 * - `headerUnterminated`: a header block ends without its empty line.
 * - `headerTooLong`, `tooManyFields`, `tooManyParameters`, `tooDeep`, `tooManyParts`: see `mimeLimitRules`.
 * - `bareCr`: a header block holds a CR without LF, which ends no line and is left out of values; its first one.
 * - `lineEndsMixed`: in a header block some lines end with CRLF and some with LF alone; the first line end that differs.
 * - `nul`: a header block holds a NUL, which stays where it is; its first one.
 * - `contentLengthWrong`: the message's Content-Length is not the number of octets in its body; the field. It is not used.
 * - `contentTypeUnusable`: Content-Type cannot be read; text/plain stands for it (RFC 2045 section 5.2).
 * - `boundaryMissing`: a multipart without a usable boundary parameter; text/plain stands for it.
 * - `boundaryUnterminated`: a multipart that ends without its closing delimiter.
 * - `encodingOfContainer`: a multipart declared as encoded, read as it stands, or a message/rfc822 that is encoded
 *   and therefore kept as a leaf (RFC 2046 section 5.2.1).
 * - `encodingUnknown`: an unknown Content-Transfer-Encoding; the body is handed out as it stands.
 * - `encodingDamaged`: a body holds octets that its Content-Transfer-Encoding does not have, or ends before the encoded
 *   data does; the offset is that of the body. What could be decoded was. Only told of where bodies are decoded (levels 2
 *   and 3).
 * - `textTooLong`: a text body of more octets than are made text; all of it is in the part's content (level 3).
 */
export type DefectCode =
  | 'headerMissing'
  | 'firstLineUnusable'
  | 'headerUnterminated'
  | 'headerTooLong'
  | 'bareCr'
  | 'lineEndsMixed'
  | 'nul'
  | 'contentLengthWrong'
  | 'tooManyFields'
  | 'tooManyParameters'
  | 'tooDeep'
  | 'tooManyParts'
  | 'contentTypeUnusable'
  | 'boundaryMissing'
  | 'boundaryUnterminated'
  | 'encodingOfContainer'
  | 'encodingUnknown'
  | 'encodingDamaged'
  | 'textTooLong'

export interface Defect {
  readonly code: DefectCode
  /** Octets from the start of the message. */
  readonly offset: number
}

/** Defects kept for one message; later ones are dropped. */
export const MAX_DEFECTS = 1_000

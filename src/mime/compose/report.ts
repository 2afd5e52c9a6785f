import { asBuffer, EMPTY } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import { boundariesFor, leafPart, multipart, textPart } from './body.js'
import { ComposedMessage } from './composed-message.js'
import type { Source, StreamContent } from './content.js'
import { isSevenBit } from './encoders.js'
import {
  type ComposeOptions,
  checkNames,
  type EnvelopeOptions,
  envelopeNames,
  settingsOf,
  type TextInput,
} from './mail-options.js'
import { messageFields } from './message-fields.js'
import { type Leaf, makeLeaf, type Part } from './part.js'
import type { ReportFields } from './report-fields.js'

/** What every report has besides its own fields. */
export interface ReportOptions extends EnvelopeOptions {
  /** What a person reads. */
  readonly text: TextInput
  /**
   * The message that the report is about, as it came; a stream of it has to have CRLF line ends of lines up to 998
   * octets. One that cannot be returned whole in a message (NUL, longer lines) is returned as its header.
   */
  readonly original?: Uint8Array | StreamContent | undefined
  /** Returns the header of `original` only (RET=HDRS of RFC 3461); not for a stream. */
  readonly headersOnly?: boolean | undefined
}

export const reportNames: readonly string[] = [...envelopeNames, 'text', 'original', 'headersOnly']

/** One kind of multipart/report. */
export interface ReportKind {
  /** The report-type, also the subtype of the part for machines. */
  readonly type: string
  /** The subtype where addresses are in UTF-8 (RFC 6533), else null. */
  readonly utf8Type: string | null
  /** The value of Auto-Submitted (RFC 3834 section 5). */
  readonly autoSubmitted: string
  /** It goes out with an empty reverse path, so that it is never answered by another report. */
  readonly nullSender: boolean
}

/** multipart/report (RFC 6522): a text, `fields`, and what is returned of the message. */
export function composeReport(
  report: ReportOptions,
  known: readonly string[],
  kind: ReportKind,
  fields: ReportFields,
  options: ComposeOptions,
): ComposedMessage {
  checkNames(report, [...reportNames, ...known], 'a report')
  const settings = settingsOf(options)
  const { fields: top, messageId, envelope } = messageFields(report, settings)
  const text = textPart(report.text, 'plain', settings, { what: 'text', last: false })
  const parts = [text, machinePart(kind, fields), ...returnedPart(report)]
  const leaves = parts.map((part) => part.body).filter((body): body is Leaf => body.type === 'leaf')
  const boundaries = boundariesFor(leaves, settings)
  const root = multipart('report', parts, () => boundaries, [['report-type', kind.type]])
  const auto = hasAutoSubmitted(report) ? '' : `Auto-Submitted: ${kind.autoSubmitted}\r\n`
  return new ComposedMessage(
    { fields: top + auto + root.fields, body: root.body },
    messageId,
    kind.nullSender ? { ...envelope, from: '' } : envelope,
  )
}

function hasAutoSubmitted({ headers = {} }: ReportOptions): boolean {
  const names = Array.isArray(headers) ? headers.map(({ key }: { key: string }) => key) : Object.keys(headers)
  return names.some((name) => String(name).toLowerCase() === 'auto-submitted')
}

function machinePart(kind: ReportKind, fields: ReportFields): Part {
  const source: Source = { type: 'text', text: fields.text }
  if (!fields.utf8 || kind.utf8Type === null) {
    return leafPart(`message/${kind.type}`, [], makeLeaf(source, 'composite', undefined, 'a report'))
  }
  return leafPart(`message/${kind.utf8Type}`, [], makeLeaf(source, 'text', undefined, 'a report'))
}

function returnedPart({ original, headersOnly }: ReportOptions): Part[] {
  if (original === undefined) return []
  if (!(original instanceof Uint8Array)) {
    if (typeof original !== 'object' || original === null || !(Symbol.asyncIterator in original)) {
      throw new UsageError('CONTENT', 'the original of a report must be a Uint8Array or an async iterable')
    }
    if (headersOnly) throw new UsageError('CONTENT', 'headersOnly needs the original as octets')
    const leaf: Leaf = {
      type: 'leaf',
      encoding: '8bit',
      bytes: EMPTY,
      stream: { type: 'stream', open: () => original, once: original },
    }
    return [leafPart('message/rfc822', [], leaf)]
  }
  const bytes = asBuffer(original)
  const header = headerIn(bytes)
  if (!headersOnly) {
    const whole = wholeMessage(bytes, isSevenBit(header))
    if (whole !== null) return [whole]
  }
  // the header of a message in UTF-8 has a type of its own (RFC 6533 section 4.3)
  const type = isSevenBit(header) ? 'text/rfc822-headers' : 'message/global-headers'
  return [leafPart(type, [], makeLeaf({ type: 'bytes', bytes: header }, 'text', undefined, 'the original'))]
}

/** Null for a message that neither 7bit nor 8bit can hold. One whose header is UTF-8 is message/global (RFC 6533 section 4.2). */
function wholeMessage(bytes: Buffer, asciiHeader: boolean): Part | null {
  const type = asciiHeader ? 'message/rfc822' : 'message/global'
  try {
    return leafPart(type, [], makeLeaf({ type: 'bytes', bytes }, 'composite', undefined, 'the original'))
  } catch (error) {
    if ((error as { code?: unknown }).code === 'CONTENT') return null
    throw error
  }
}

/** The header block without its empty line. */
function headerIn(message: Buffer): Buffer {
  if (message[0] === 0x0a || (message[0] === 0x0d && message[1] === 0x0a)) return EMPTY
  const ends = [message.indexOf('\n\r\n'), message.indexOf('\n\n')].filter((at) => at !== -1)
  return ends.length === 0 ? message : message.subarray(0, Math.min(...ends) + 1)
}

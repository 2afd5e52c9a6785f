import { asBuffer, EMPTY } from '../core/bytes.js'
import { decodeCharset } from './charset.js'
import { MapiReader, type MapiValue } from './mapi.js'

/** A file inside a winmail.dat. */
export interface TnefAttachment {
  readonly name: string
  /** `type/subtype` as the sender's program had it, or null. */
  readonly type: string | null
  readonly contentId: string | null
  readonly content: Buffer
}

/** What an application/ms-tnef body (winmail.dat, MS-OXTNEF) holds. */
export interface Tnef {
  readonly subject: string | null
  readonly text: string | null
  readonly html: string | null
  /** The body as RTF, compressed as MS-OXRTFCP describes, or null. */
  readonly compressedRtf: Buffer | null
  readonly attachments: readonly TnefAttachment[]
}

const SIGNATURE = 0x223e9f78
const ATTRIBUTE_HEADER = 9
const CHECKSUM = 2
const MAX_ATTACHMENTS = 1_000

/** Attributes of MS-OXTNEF section 2.1.3.3, by their lower 16 bits. */
const attribute = {
  subject: 0x8004,
  body: 0x800c,
  attachmentData: 0x800f,
  attachmentTitle: 0x8010,
  attachmentBegin: 0x9002,
  messageProperties: 0x9003,
  attachmentProperties: 0x9005,
  codePage: 0x9007,
} as const

/** Properties of MS-OXPROPS. */
const property = {
  subject: 0x0037,
  body: 0x1000,
  compressedRtf: 0x1009,
  html: 0x1013,
  data: 0x3701,
  fileName: 0x3704,
  longFileName: 0x3707,
  mimeType: 0x370e,
  contentId: 0x3712,
} as const

interface OpenAttachment {
  name: string
  type: string | null
  contentId: string | null
  content: Buffer
}

/**
 * Reads a TNEF stream, or null where the octets are none. A damaged one gives what could be read before the damage. Files
 * are views of `bytes`. Never throws; linear time; up to 1,000 files.
 */
export function parseTnef(bytes: Uint8Array): Tnef | null {
  const buffer = asBuffer(bytes)
  if (buffer.length < 6 || buffer.readUInt32LE(0) !== SIGNATURE) return null
  const attachments: OpenAttachment[] = []
  let codePage = 'windows-1252'
  let subject: string | null = null
  let text: string | null = null
  let html: string | null = null
  let compressedRtf: Buffer | null = null
  const string = (octets: Buffer): string => decodeCharset(withoutNul(octets), codePage)
  const value = (given: MapiValue): string =>
    given.unicode ? decodeCharset(withoutWideNul(given.octets), 'utf-16le') : string(given.octets)
  for (let at = 6; at + ATTRIBUTE_HEADER <= buffer.length; ) {
    const id = buffer.readUInt16LE(at + 1)
    const length = buffer.readUInt32LE(at + 5)
    const start = at + ATTRIBUTE_HEADER
    if (length > buffer.length - start) break
    const data = buffer.subarray(start, start + length)
    at = start + length + CHECKSUM
    const last = attachments.at(-1)
    switch (id) {
      case attribute.codePage:
        if (length >= 4) codePage = `cp${data.readUInt32LE(0)}`
        break
      case attribute.subject:
        subject = string(data)
        break
      case attribute.body:
        text = string(data)
        break
      case attribute.messageProperties:
        for (const given of new MapiReader(data)) {
          if (given.id === property.subject) subject = value(given)
          else if (given.id === property.body) text = value(given)
          else if (given.id === property.html) html = string(given.octets)
          else if (given.id === property.compressedRtf) compressedRtf = given.octets
        }
        break
      case attribute.attachmentBegin:
        if (attachments.length === MAX_ATTACHMENTS) return { subject, text, html, compressedRtf, attachments }
        attachments.push({ name: '', type: null, contentId: null, content: EMPTY })
        break
      case attribute.attachmentTitle:
        if (last?.name === '') last.name = string(data)
        break
      case attribute.attachmentData:
        if (last !== undefined) last.content = data
        break
      case attribute.attachmentProperties:
        if (last !== undefined) readAttachment(last, data, value)
        break
    }
  }
  return { subject, text, html, compressedRtf, attachments }
}

function readAttachment(open: OpenAttachment, data: Buffer, value: (given: MapiValue) => string): void {
  let short = ''
  let long = ''
  for (const given of new MapiReader(data)) {
    if (given.id === property.longFileName) long = value(given)
    else if (given.id === property.fileName) short = value(given)
    else if (given.id === property.mimeType) open.type = value(given).toLowerCase()
    else if (given.id === property.contentId) open.contentId = value(given).replace(/^<|>$/g, '')
    else if (given.id === property.data && open.content.length === 0) open.content = given.object
  }
  if (long !== '' || open.name === '') open.name = long || short
}

function withoutNul(octets: Buffer): Buffer {
  const nul = octets.indexOf(0)
  return nul === -1 ? octets : octets.subarray(0, nul)
}

function withoutWideNul(octets: Buffer): Buffer {
  const even = octets.length - (octets.length % 2)
  return even >= 2 && octets.readUInt16LE(even - 2) === 0
    ? octets.subarray(0, even - 2)
    : octets.subarray(0, even)
}

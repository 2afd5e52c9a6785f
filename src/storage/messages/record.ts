import { crc32 } from '../../core/index.js'

/**
 * Octets of a record's header: "Mlwr", the content's number and its length, each of 6 octets, the CRC-32 of its octets,
 * and that of the header before it: a header may lie on two sectors of a disk, of which a power loss leaves one. The
 * highest octet of each is first.
 */
export const HEADER = 24
/** The number in the header of a redo record, which no content has. */
export const REDO = 0
/** Octets from which on a segment takes no further record, at most: each begins below it. */
export const SEGMENT = 64 * 1024 * 1024

const MAGIC = 0x4d6c7772
const WIDTH = 6
const CID = 4
const SIZE = CID + WIDTH
const SUM = SIZE + WIDTH
const CHECK = SUM + 4

/** What stands before the octets of a message, or of a redo record. */
export interface Header {
  readonly cid: number
  /** Octets that follow. */
  readonly size: number
  /** Their CRC-32; 0 where there is none, which a large message has not. */
  readonly sum: number
}

/** Where a record begins: segment and offset in one number, below 2^53 for 134 million segments. */
export function placeOf(segment: number, offset: number): number {
  return segment * SEGMENT + offset
}

export function segmentOf(place: number): number {
  return Math.floor(place / SEGMENT)
}

export function offsetOf(place: number): number {
  return place % SEGMENT
}

/** Writes a header over the `HEADER` octets from `at` on. */
export function writeHeader(buffer: Buffer, at: number, { cid, size, sum }: Header): void {
  buffer.writeUInt32BE(MAGIC, at)
  buffer.writeUIntBE(cid, at + CID, WIDTH)
  buffer.writeUIntBE(size, at + SIZE, WIDTH)
  buffer.writeUInt32BE(sum, at + SUM)
  buffer.writeUInt32BE(checkOf(buffer, at), at + CHECK)
}

/** The header that stands at `at`; null where none does, or it is not whole. */
export function readHeader(buffer: Buffer, at: number): Header | null {
  if (at + HEADER > buffer.length || buffer.readUInt32BE(at) !== MAGIC) return null
  if (buffer.readUInt32BE(at + CHECK) !== checkOf(buffer, at)) return null
  return {
    cid: buffer.readUIntBE(at + CID, WIDTH),
    size: buffer.readUIntBE(at + SIZE, WIDTH),
    sum: buffer.readUInt32BE(at + SUM),
  }
}

/** The check sum of the header at `at` itself. */
function checkOf(buffer: Buffer, at: number): number {
  return crc32(buffer.subarray(at, at + CHECK))
}

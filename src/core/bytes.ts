export const CR = 0x0d
export const LF = 0x0a
export const DOT = 0x2e
export const CRLF: Uint8Array = Buffer.from('\r\n', 'latin1')
export const EMPTY: Buffer = Buffer.alloc(0)

/** The same memory as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The octets of a string that holds one octet a character (code points up to 255). */
export function fromLatin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** Node's own slices, several times as fast as `toString` on short strings; the type declarations leave them out. */
interface SlicingBuffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

/** One character an octet: nothing is lost and nothing is interpreted. */
export function toLatin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return (asBuffer(bytes) as unknown as SlicingBuffer).latin1Slice(start, end)
}

/** UTF-8 with every invalid sequence as U+FFFD. */
export function toUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return (asBuffer(bytes) as unknown as SlicingBuffer).utf8Slice(start, end)
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text, or null when the octets are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return null
  }
}

/** True when every octet is below 128. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

import { Headers, MessageReader, type PartStart } from '../../../src/mime/index.js'

/** A part as it was read back, its body decoded. */
export interface ReadPart {
  readonly part: PartStart
  readonly type: string
  readonly body: Buffer
}

/** Every part in the order in which they begin. No defect is let pass. */
export function readParts(message: Uint8Array): ReadPart[] {
  const reader = new MessageReader()
  reader.receive(message)
  reader.end()
  const parts: { part: PartStart; pieces: Uint8Array[] }[] = []
  for (let event = reader.next(); event !== null; event = reader.next()) {
    if (event.type === 'partBegin') parts.push({ part: event.part, pieces: [] })
    if (event.type === 'body') parts[event.part.index]?.pieces.push(event.data)
    if (event.type === 'messageEnd' && event.defects.length > 0) {
      throw new Error(`defects: ${JSON.stringify(event.defects)}\n${Buffer.from(message).toString()}`)
    }
  }
  return parts.map(({ part, pieces }) => ({
    part,
    type: `${part.contentType.type}/${part.contentType.subtype}`,
    body: Buffer.concat(pieces),
  }))
}

/** The tree of types: `multipart/mixed(text/plain application/pdf)`. */
export function shape(message: Uint8Array): string {
  const parts = readParts(message)
  const under = (parent: number | null): string =>
    parts
      .filter(({ part }) => part.parent === parent)
      .map(({ part, type }) => (part.kind === 'leaf' ? type : `${type}(${under(part.index)})`))
      .join(' ')
  return under(null)
}

/** The fields of a header block. */
export function fieldsOf(message: { readonly header: Buffer }): Headers {
  return new Headers(message.header)
}

/** Lines of the header blocks and the encoded bodies that are longer than allowed. */
export function longLines(message: Uint8Array, limit: number): string[] {
  return Buffer.from(message)
    .toString('latin1')
    .split('\r\n')
    .filter((line) => line.length > limit)
}

/** `size` octets of a fixed sequence, so that a message comes out the same each time. */
export function fixedRandom(seed = 1): (size: number) => Uint8Array {
  let state = seed
  return (size) =>
    Uint8Array.from({ length: size }, () => {
      state = (state * 48_271) % 2_147_483_647
      return state & 0xff
    })
}

export const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) }

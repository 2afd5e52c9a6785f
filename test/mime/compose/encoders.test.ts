import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Base64Encoder,
  LineEncoder,
  QuotedPrintableEncoder,
  survey,
} from '../../../src/mime/compose/encoders.js'
import { type BodyEncoder, decodeBody } from '../../../src/mime/index.js'

const octets = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  fc
    .array(fc.constantFrom('a', 'é', ' ', '\t', '\r', '\n', '\r\n', '=', '.', 'x'.repeat(74), '\0'), {
      maxLength: 60,
    })
    .map((parts) => Buffer.from(parts.join(''))),
)
const cuts = fc.array(fc.nat(400), { maxLength: 8 })

function encode(encoder: BodyEncoder, body: Buffer, at: readonly number[] = []): Buffer {
  const bounds = [0, ...at.map((cut) => Math.min(cut, body.length)).sort((a, b) => a - b), body.length]
  const pieces = bounds.slice(1).map((end, index) => encoder.write(body.subarray(bounds[index], end)))
  return Buffer.concat([...pieces, encoder.end()])
}

describe.each<[string, () => BodyEncoder]>([
  ['base64', () => new Base64Encoder()],
  ['quoted-printable', () => new QuotedPrintableEncoder()],
])('%s', (encoding, make) => {
  it('is undone to the same octets, in lines of 76, however it is cut', () => {
    fc.assert(
      fc.property(octets, cuts, (body, at) => {
        const encoded = encode(make(), body)
        expect(encode(make(), body, at)).toEqual(encoded)
        expect(decodeBody(encoded, encoding)).toEqual(body)
        for (const line of encoded.toString('latin1').split('\r\n')) {
          expect(line).toMatch(/^[\t\x20-\x7e]{0,76}$/)
          expect(line).not.toMatch(/[ \t]$/)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is as long as the survey says', () => {
    fc.assert(
      fc.property(octets, (body) => {
        const { base64, quotedPrintable, octets } = survey(body)
        expect(octets).toBe(body.length)
        expect(encode(make(), body).length).toBe(encoding === 'base64' ? base64 : quotedPrintable)
      }),
      { numRuns: 500 },
    )
  })
})

describe('7bit and 8bit', () => {
  it('end every line with CRLF, however the input is cut', () => {
    fc.assert(
      fc.property(octets, cuts, (body, at) => {
        const clean = Buffer.from(body.filter((octet) => octet !== 0))
        const expected = Buffer.from(clean.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1')
        if (
          expected
            .toString('latin1')
            .split('\r\n')
            .some((line) => line.length > 998)
        )
          return
        expect(encode(new LineEncoder(false), clean, at)).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('refuse what a line cannot hold', () => {
    const error = expect.objectContaining({ code: 'CONTENT' })
    const write = (text: string, sevenBit: boolean, at: number[] = []) =>
      encode(new LineEncoder(sevenBit), Buffer.from(text, 'latin1'), at)
    expect(() => write('a\0b', false)).toThrow(error)
    expect(() => write('é', true)).toThrow(error)
    expect(() => write('x'.repeat(999), false, [500])).toThrow(error)
    expect(write(`${'x'.repeat(998)}\n${'x'.repeat(998)}`, true, [500]).length).toBe(998 * 2 + 2)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findInBody, fold } from '../../../src/imap/session/search-text.js'
import type { Mailbox, MessageInfo } from '../../../src/interfaces/index.js'
import { factsOf } from '../../../src/mime/index.js'

/** A message of the given header and body, read in pieces of `piece` octets, or inline where it is 0. */
async function find(header: string, body: Buffer, needles: string[], piece = 0): Promise<readonly boolean[]> {
  const octets = Buffer.concat([Buffer.from(`${header}\r\n\r\n`, 'latin1'), body])
  const facts = factsOf(octets)
  const inline = piece === 0 ? octets : null
  const info: MessageInfo = { uid: 1, size: octets.length, internalDate: 0, facts, body: inline }
  const read: Mailbox['read'] = async function* (_, from = 0, to = octets.length) {
    for (let at = from; at < to; at += piece) yield octets.subarray(at, Math.min(at + piece, to))
  }
  return findInBody({ read } as Mailbox, info, needles.map(fold), async () => undefined)
}

const utf8 = 'Content-Type: text/plain; charset=utf-8'

describe('findInBody', () => {
  test('finds text over the edges of windows, whatever the pieces', async () => {
    const far = `${'line of text\r\n'.repeat(40_000)}needle Ä\r\n${'more\r\n'.repeat(60_000)}`
    for (const piece of [0, 1000, 65_536, 262_144]) {
      expect(await find(utf8, Buffer.from(far), ['NEEDLE ä\r\nmore', 'nothing'], piece)).toEqual([
        true,
        false,
      ])
    }
  })

  test('finds text in a line longer than any window', async () => {
    const body = Buffer.from(`${'x'.repeat(262_140)}needle${'x'.repeat(300_000)}`)
    expect(await find(utf8, body, ['needle'], 65_536)).toEqual([true])
  })

  test('decodes what text is encoded in', async () => {
    const koi8 = Buffer.from([0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4])
    expect(await find('Content-Type: text/plain; charset=koi8-r', koi8, ['привет'])).toEqual([true])
    const quoted = `${utf8}\r\nContent-Transfer-Encoding: quoted-printable`
    expect(await find(quoted, Buffer.from('soft=\r\nbreak =C3=84'), ['softbreak ä'], 3)).toEqual([true])
  })

  test('looks at text only', async () => {
    const body = Buffer.from('needle')
    expect(await find('Content-Type: image/png', body, ['needle'])).toEqual([false])
    expect(await find('Content-Type: text/html', body, ['needle'])).toEqual([true])
  })

  test('finds what is there, for any text and pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.nat(59),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 70 }),
        async (text, from, length, piece) => {
          const needle = text.slice(from, from + length)
          fc.pre(
            needle !== '' &&
              !/\p{Surrogate}/u.test(needle) &&
              !text.startsWith('\ufeff') &&
              fold(text).includes(fold(needle)),
          )
          expect(await find(utf8, Buffer.from(text), [needle], piece)).toEqual([true])
        },
      ),
    )
  })
})

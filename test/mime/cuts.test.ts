import { describe, expect, test } from 'vitest'
import { bytes, checkTree, cut, eventsOf, factsIn, samples } from './samples.js'

describe('the same events and facts however the input is cut', () => {
  test.each(Object.entries(samples))('%s, cut in two anywhere and in single octets', (_name, text) => {
    const message = bytes(text)
    const events = eventsOf([message])
    const facts = factsIn([message])
    checkTree(facts, message)
    for (let place = 1; place < message.length; place++) {
      const chunks = cut(message, [place])
      expect(eventsOf(chunks)).toEqual(events)
      expect(factsIn(chunks)).toEqual(facts)
    }
    const single = cut(
      message,
      [...message.keys()].filter((place) => place > 0),
    )
    expect(eventsOf(single)).toEqual(events)
    expect(factsIn(single)).toEqual(facts)
  })

  test('a message of 200 KB, at random sets of cuts', () => {
    const filler = (samples.alternative ?? '').repeat(200)
    const encoded = Buffer.from(filler).toString('base64').replace(/.{76}/g, '$&\r\n')
    const message = bytes(
      `Content-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\nContent-Type: message/rfc822\r\n\r\n${samples.nested}\r\n--zz\r\n\r\n${filler}\r\n--zz\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded}\r\n--zz--\r\n`,
    )
    const events = eventsOf([message])
    const facts = factsIn([message])
    let seed = 7
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    for (let round = 0; round < 30; round++) {
      const places = Array.from({ length: 1 + random(200) }, () => random(message.length))
      const chunks = cut(message, places)
      expect(eventsOf(chunks)).toEqual(events)
      expect(factsIn(chunks)).toEqual(facts)
    }
  })

  test('limits fall in the same place', () => {
    const message = bytes(`${samples.nested}${'X'.repeat(3_000)}`)
    const long = bytes(`A: ${'b'.repeat(600)}\r\nC: ${'d'.repeat(600)}\r\n\r\nbody`)
    for (const [input, limits] of [
      [message, { parts: 3 }],
      [message, { depth: 1 }],
      [long, { headerBlock: 1_024 }],
      [bytes('x'.repeat(3_000)), { headerBlock: 1_024 }],
    ] as const) {
      const events = eventsOf([input], limits)
      const facts = factsIn([input], limits)
      checkTree(facts, input)
      for (let place = 1; place < input.length; place += 7) {
        expect(eventsOf(cut(input, [place]), limits)).toEqual(events)
        expect(factsIn(cut(input, [place]), limits)).toEqual(facts)
      }
    }
  })
})

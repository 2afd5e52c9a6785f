import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Envelope, EnvelopeAddress, MessageFacts, PartFacts } from '../../src/interfaces/index.js'
import { factsOf } from '../../src/mime/index.js'
import { readFacts, writeFacts } from '../../src/storage/sql/facts-text.js'

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), fc.constant(''))
const optional = fc.option(text)
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 })
const parameters = list(fc.tuple(text, text))

const address: fc.Arbitrary<EnvelopeAddress> = fc.record({
  name: optional,
  route: optional,
  mailbox: optional,
  host: optional,
})

const envelope: fc.Arbitrary<Envelope> = fc.record({
  date: optional,
  subject: optional,
  from: list(address),
  sender: list(address),
  replyTo: list(address),
  to: list(address),
  cc: list(address),
  bcc: list(address),
  inReplyTo: optional,
  messageId: optional,
})

const { part } = fc.letrec<{ part: PartFacts }>((tie) => ({
  part: fc.record({
    type: text,
    subtype: text,
    parameters,
    id: optional,
    description: optional,
    encoding: text,
    md5: optional,
    disposition: fc.option(fc.record({ type: text, parameters })),
    language: list(text),
    location: optional,
    headerOffset: fc.nat(),
    bodyOffset: fc.nat(),
    endOffset: fc.nat(),
    lines: fc.nat(),
    parts: fc.oneof({ maxDepth: 2 }, fc.constant([]), list(tie('part'))),
    message: fc.oneof({ maxDepth: 2 }, fc.constant(null), fc.record({ envelope, root: tie('part') })),
  }),
}))

const facts: fc.Arbitrary<MessageFacts> = fc.record({ size: fc.nat(), root: part, envelope })

it('gives back the facts that were written', () => {
  fc.assert(
    fc.property(facts, (each) => {
      expect(readFacts(writeFacts(each))).toEqual(each)
    }),
  )
})

it('has nothing for what is not there', () => {
  const message = 'From: a@client.test\r\nTo: "B C" <b@example.test>\r\nSubject: Hi\r\n\r\ntext\r\n'
  expect(writeFacts(factsOf(Buffer.from(message)))).toBe(
    '[70,["text","plain","7bit",0,64,70,1,[["charset","us-ascii"]]],["Hi",null,null,[["a","client.test"]],[["b","example.test","B C"]]]]',
  )
})

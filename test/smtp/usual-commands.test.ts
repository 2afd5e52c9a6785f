import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Talk } from './talk.js'

const atom = fc.stringMatching(/^[a-z0-9!#$+=_-]{1,40}$/)
const label = fc.stringMatching(/^[a-z0-9-]{1,40}$/)
const path = fc
  .tuple(fc.array(atom, { minLength: 1, maxLength: 3 }), fc.array(label, { minLength: 1, maxLength: 4 }))
  .map(([local, domain]) => `<${local.join('.')}@${domain.join('.')}>`)
const size = fc.constantFrom(
  '',
  ' SIZE=0',
  ' SIZE=100',
  ' SIZE=0000100',
  ' SIZE=101',
  ' SIZE=999999999999999',
  ' SIZE=',
)
const body = fc.constantFrom(
  '',
  ' BODY=7BIT',
  ' BODY=8BITMIME',
  ' BODY=BINARYMIME',
  ' BODY=8bitmime',
  ' BODY',
)
const features = fc.record({ eightBitMime: fc.boolean(), binaryMime: fc.boolean() })

/** What is said to the command, and what the host is asked. */
function told(talk: Talk, command: string): unknown {
  talk.events.splice(0)
  const said = talk.send(`${command}\r\n`)
  return [said, ...talk.events]
}

describe('usual commands', () => {
  it('MAIL means the same however it is written', () => {
    fc.assert(
      fc.property(
        path,
        size,
        body,
        features,
        fc.constantFrom('EHLO', 'HELO'),
        (address, octets, form, offered, hello) => {
          const [usual, unusual] = ['FROM:', 'from:'].map((prefix) => {
            const talk = new Talk({ maxMessageSize: 100, features: offered })
            talk.send(`${hello} c.test\r\n`)
            return told(talk, `MAIL ${prefix}${address}${octets}${form}`)
          })
          expect(usual).toEqual(unusual)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('RCPT means the same however it is written', () => {
    fc.assert(
      fc.property(path, (address) => {
        const [usual, unusual] = ['TO:', 'to:'].map((prefix) => {
          const talk = new Talk()
          talk.send('EHLO c.test\r\nMAIL FROM:<>\r\n')
          return told(talk, `RCPT ${prefix}${address}`)
        })
        expect(usual).toEqual(unusual)
      }),
    )
  })
})

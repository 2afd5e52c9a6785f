import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reply } from '../../src/interfaces/index.js'
import type { SmtpServerEvent } from '../../src/smtp/index.js'
import { exampleFinal, exampleFirst } from '../support/auth.js'
import { Talk } from './talk.js'

const words = [
  'EHLO c.test\r\n',
  'HELO c\r\n',
  'MAIL FROM:<a@b.test>',
  'RCPT TO:<"x y"@b.test>\r\n',
  'RCPT TO:<>\r\n',
  'DATA\r\n',
  'RSET\r\n',
  'STARTTLS\r\n',
  'AUTH PLAIN',
  'AUTH LOGIN\r\n',
  ' AGFsaWNlAHNlY3JldA==\r\n',
  `AUTH SCRAM-SHA-256 ${exampleFirst}\r\n`,
  `${exampleFinal}\r\n`,
  'AUTH OAUTHBEARER biwsAWF1dGg9AQE=\r\n',
  'QUIT\r\n',
  'BDAT 5 LAST\r\n',
  'BDAT 3\r\n',
  'BDAT 0 LAST\r\n',
  'BDAT 40 X\r\n',
  'LHLO c.test\r\n',
  'MAIL FROM:<ö@b> SMTPUTF8 RET=HDRS\r\n',
  'RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;x\r\n',
  'XCLIENT ADDR=192.0.2.9\r\n',
  'XFORWARD NAME=x\r\n',
  'VRFY x SMTPUTF8\r\n',
  ' SIZE=5 BODY=8BITMIME\r\n',
  'Received: x\r\n',
  '\r\n.\r\n',
  '.',
  '\r',
  '\n',
  '\r\n',
  '\0',
  '*\r\n',
  'x'.repeat(3000),
]
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...words) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((b) => Buffer.from(b).toString('latin1')) },
)
const answers = fc.array(fc.constantFrom('accept', 'refuse', 'defer', 'later', 'shutdown'), { maxLength: 8 })
const openings = [
  '',
  'EHLO c\r\n',
  'EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n',
  'HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n',
  'EHLO c\r\nAUTH LOGIN\r\n',
  `EHLO c\r\nAUTH SCRAM-SHA-256 ${exampleFirst}\r\n`,
  'EHLO c\r\nMAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\nBDAT 4\r\nx\ny\0',
]
const features = { eightBitMime: true, smtpUtf8: true, binaryMime: true, dsn: true }
const line = /^(?:\d{3}[ -][\t\x20-\x7e]*\r\n)*$/
/** A refusal without an enhanced status code of its class (RFC 2034 section 4). */
const bareRefusal = /^([45])\d\d[ -](?!\1\.\d{1,3}\.\d{1,3} )/m

/** What must hold of every sequence of events, whatever the client sends. */
function checkOrder(events: readonly SmtpServerEvent[], pending: boolean): void {
  let open = false
  events.forEach((event, index) => {
    if (event.type === 'rcpt' || event.type === 'data') expect(open).toBe(true)
    if (event.type === 'mail') open = true
    if (event.type === 'reset' || event.type === 'dataEnd') open = false
    if (event.type === 'closed') expect(index).toBe(events.length - 1)
  })
  if (pending) expect(events.at(-1)?.type).not.toBe('closed')
}

describe('any octets in any state', () => {
  it('never throw, are answered in whole lines, and leave nothing behind', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...openings),
        fc.array(piece, { maxLength: 25 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        answers,
        fc.constantFrom('smtp' as const, 'lmtp' as const),
        (beginning, pieces, cuts, replies, service) => {
          const opening = service === 'lmtp' ? beginning.replace(/^(?:EHLO|HELO)/, 'LHLO') : beginning
          const talk = new Talk({
            service,
            features,
            verbs: ['VRFY'],
            xclient: true,
            tarpitMs: 1,
            limits: { softErrors: 5 },
            mechanisms: ['SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'OAUTHBEARER'],
            secure: false,
            allowPlaintext: true,
            startTls: true,
          })
          talk.send(opening)
          let turn = 0
          let waiting = false
          talk.onAsk = () => {
            const answer = replies[turn++ % (replies.length || 1)] ?? 'accept'
            if (answer === 'refuse') talk.engine.reply(reply(550, '5.0.0', 'No'))
            else if (answer === 'defer') talk.engine.reply(reply(450, '4.0.0', 'Later'))
            else if (answer === 'later') waiting = true
            else {
              if (answer === 'shutdown') talk.engine.shutdown('shutdown')
              talk.accept()
            }
            return answer !== 'later'
          }
          const text = pieces.join('')
          const places = [...new Set(cuts.filter((cut) => cut < text.length))].sort((a, b) => a - b)
          let from = 0
          for (const cut of [...places, text.length]) {
            talk.send(text.slice(from, cut))
            from = cut
            if (waiting) {
              waiting = false
              talk.accept()
              talk.run()
            }
            if (talk.engine.need === 'upgrade') {
              talk.engine.upgraded('tls', null)
              talk.run()
            }
          }
          expect(talk.output).toMatch(line)
          expect(talk.output).not.toMatch(bareRefusal)
          expect(talk.output.length).toBeLessThan(1000 + text.length * 120)
          talk.engine.receiveEnd()
          talk.run()
          if (talk.engine.need === 'answer') {
            talk.accept()
            talk.run()
            if (talk.engine.need === 'answer') talk.engine.lost()
            talk.run()
          }
          checkOrder(talk.events, talk.engine.need === 'answer')
          if (talk.engine.need !== 'closed') {
            talk.engine.lost()
            talk.run()
          }
          expect(talk.events.at(-1)?.type).toBe('closed')
          talk.engine.receive(Buffer.from('NOOP\r\n'))
          talk.engine.timedOut()
          talk.engine.shutdown('shutdown')
          expect(talk.engine.next()).toBeNull()
        },
      ),
      { numRuns: Number(process.env.MAILWRIGHT_FUZZ_RUNS ?? 1500) },
    )
  })

  it('give the same replies however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.array(fc.nat(600), { maxLength: 8 }),
        (pieces, cuts) => {
          const text = `EHLO c\r\n${pieces.join('').replace(/STARTTLS|DATA/gi, 'MAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nDATA')}`
          const whole = new Talk({
            mechanisms: ['SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'OAUTHBEARER'],
            allowPlaintext: true,
            features,
            xforward: true,
          })
          const cut = new Talk({
            mechanisms: ['SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'OAUTHBEARER'],
            allowPlaintext: true,
            features,
            xforward: true,
          })
          const places = [...new Set(cuts.filter((each) => each < text.length))].sort((a, b) => a - b)
          const eager = '421 4.5.0'
          const expected = whole.send(text)
          const got = cut.sendCut(text, places)
          if (expected.includes(eager) || got.includes(eager)) return
          expect(got).toBe(expected)
          expect(cut.messages).toEqual(whole.messages)
        },
      ),
      { numRuns: Number(process.env.MAILWRIGHT_FUZZ_RUNS ?? 1000) },
    )
  })

  it('holds no more than a line and a chunk, whatever is sent', () => {
    const talk = new Talk({
      limits: { errors: Number.POSITIVE_INFINITY, junkCommands: Number.POSITIVE_INFINITY },
    })
    let largest = 0
    for (let i = 0; i < 10; i++) {
      talk.engine.receive(Buffer.from('FOO\r\n'.repeat(13_000)))
      for (;;) {
        const event = talk.engine.next()
        largest = Math.max(largest, talk.engine.outputSize)
        if (event === null) break
        talk.engine.takeOutput()
      }
      talk.engine.takeOutput()
    }
    expect(largest).toBeLessThan(40_000)
  })
})

import type { ImapServerEngineOptions, ImapServerEvent } from '../../../src/imap/index.js'
import { ImapServerEngine } from '../../../src/imap/index.js'
import { agreeTo } from '../../support/auth.js'

/** Acts on one event, as a session would. */
export type Answer = (engine: ImapServerEngine, event: ImapServerEvent) => void

export function makeEngine(options: Partial<ImapServerEngineOptions> = {}): ImapServerEngine {
  return new ImapServerEngine({
    hostname: 'mail.example',
    mechanisms: ['PLAIN', 'LOGIN'],
    allowPlaintext: true,
    startTls: true,
    secure: false,
    ...options,
  })
}

/** Says yes to everything; a mailbox called `no` is refused, and `wrong` is a wrong password. */
export const agree: Answer = (engine, event) => {
  switch (event.type) {
    case 'command': {
      const { command } = event
      if (command.name === 'LOGIN') {
        if (command.password === 'wrong') engine.complete('NO', 'AUTHENTICATIONFAILED', 'Wrong')
        else {
          engine.enter('authenticated')
          engine.complete('OK', null, 'In')
        }
        return
      }
      if (command.name === 'IDLE') return engine.idling()
      if (command.name === 'SELECT' || command.name === 'EXAMINE') engine.enter('selected')
      if (command.name === 'CLOSE' || command.name === 'UNSELECT') engine.enter('authenticated')
      return engine.complete('OK', null, 'Done')
    }
    case 'authenticate':
      return engine.answerAuth(agreeTo(event.question))
    case 'login':
      if (!event.result.ok) return engine.complete('NO', 'AUTHENTICATIONFAILED', 'Wrong')
      engine.enter('authenticated')
      return engine.complete('OK', null, 'In')
    case 'append':
      return event.mailbox === 'no' ? engine.complete('NO', 'TRYCREATE', 'None') : engine.acceptAppend()
    case 'appendEnd':
    case 'idleDone':
      return engine.complete('OK', null, 'Done')
    case 'appendData':
    case 'appendAbort':
    case 'closed':
      return
  }
}

export interface Outcome {
  /** All octets, one a character. */
  readonly output: string
  /** Adjacent appendData joined, as text. */
  readonly events: readonly Record<string, unknown>[]
  readonly need: string
}

/** Feeds the chunks one by one, answering as it goes. */
export function drive(engine: ImapServerEngine, chunks: readonly string[], answer: Answer = agree): Outcome {
  let output = ''
  const events: Record<string, unknown>[] = []
  const pull = (): void => {
    for (let event = engine.next(); event !== null; event = engine.next()) {
      if (event.type === 'appendData') {
        const text = Buffer.from(event.chunk).toString('latin1')
        const last = events.at(-1)
        if (last?.type === 'appendData') last.text = `${last.text}${text}`
        else events.push({ type: 'appendData', text })
      } else events.push({ ...event })
      answer(engine, event)
    }
    output += Buffer.concat(engine.takeOutput()).toString('latin1')
    if (engine.need === 'upgrade') {
      engine.receive(Buffer.from('x NOOP\r\n'))
      engine.upgraded('tls', null)
    }
  }
  pull()
  for (const chunk of chunks) {
    engine.receive(Buffer.from(chunk, 'latin1'))
    pull()
  }
  return { output, events, need: engine.need }
}

/** Every way to cut the input that a test should survive: whole, octet by octet, in two at each place. */
export function cuts(input: string): string[][] {
  const ways = [[input], [...input]]
  for (let at = 1; at < input.length; at++) ways.push([input.slice(0, at), input.slice(at)])
  return ways
}

/** The greeting of `makeEngine()`, to be left out of what is compared. */
export const GREETING =
  '* OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN SASL-IR ' +
  'STARTTLS AUTH=PLAIN AUTH=LOGIN] mail.example ready\r\n'

export const LOGIN = 'l LOGIN fred secret\r\n'
export const LOGIN_REPLY =
  'l OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN] In\r\n'

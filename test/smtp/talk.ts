import type { SmtpServerEvent, SmtpServerOptions } from '../../src/smtp/index.js'
import { SmtpServerEngine } from '../../src/smtp/index.js'
import { agreeTo } from '../support/auth.js'

/** Events that need no answer, though one that follows may. */
const tells: ReadonlySet<SmtpServerEvent['type']> = new Set([
  'body',
  'reset',
  'tls',
  'busy',
  'xclient',
  'xforward',
  'closed',
])

/** An engine alone, whose host says yes to everything at once. */
export class Talk {
  readonly engine: SmtpServerEngine
  readonly events: SmtpServerEvent[]
  readonly bodies: string[]
  output: string
  /** Called for each ask in place of accepting; returns false to leave it unanswered. */
  onAsk: (event: SmtpServerEvent) => boolean

  constructor(options: Partial<SmtpServerOptions> = {}) {
    this.engine = new SmtpServerEngine({ hostname: 'mx.example.test', ...options })
    this.events = []
    this.bodies = []
    this.output = ''
    this.onAsk = () => {
      this.accept()
      return true
    }
    this.run()
  }

  /** Says yes to what was asked last. */
  accept(): void {
    const asked = this.events.at(-1)
    if (asked?.type === 'authenticate') this.engine.answerAuth(agreeTo(asked.question))
    else this.engine.accept()
  }

  send(text: string): string {
    this.engine.receive(Buffer.from(text, 'latin1'))
    return this.run()
  }

  /** Sends octets cut at the given offsets, each piece acted upon before the next. */
  sendCut(text: string, cuts: readonly number[]): string {
    const before = this.output.length
    let from = 0
    for (const cut of [...cuts, text.length]) {
      this.send(text.slice(from, cut))
      from = cut
    }
    return this.output.slice(before)
  }

  run(): string {
    const before = this.output.length
    let body = this.bodies.pop() ?? ''
    for (;;) {
      const event = this.engine.next()
      if (event === null) break
      if (event.type === 'body') body += Buffer.from(event.chunk).toString('latin1')
      else this.events.push(event)
      if (event.type === 'dataEnd') {
        this.bodies.push(body)
        body = ''
      } else if (event.type === 'reset') body = ''
      if (!tells.has(event.type) && this.engine.need === 'answer' && !this.onAsk(event)) break
    }
    this.bodies.push(body)
    for (const chunk of this.engine.takeOutput()) this.output += Buffer.from(chunk).toString('latin1')
    return this.output.slice(before)
  }

  /** Up to 354. */
  begin(): this {
    this.send('HELO c.test\r\nMAIL FROM:<a@c.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n')
    this.output = ''
    return this
  }

  /** Complete messages that the host was given. */
  get messages(): string[] {
    return this.bodies.slice(0, -1)
  }
}

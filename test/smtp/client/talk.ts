import type {
  MessageOutcome,
  SmtpClientEvent,
  SmtpClientOptions,
  SmtpEnvelope,
} from '../../../src/smtp/index.js'
import { SmtpClientEngine } from '../../../src/smtp/index.js'

export const envelope: SmtpEnvelope = { from: 'a@c.test', to: ['b@example.test'] }

/** A client engine alone, played by a server in text. */
export class ClientTalk {
  readonly engine: SmtpClientEngine
  readonly events: SmtpClientEvent[]
  output: string

  constructor(options: Partial<SmtpClientOptions> = {}) {
    this.engine = new SmtpClientEngine({ hostname: 'client.test', ...options })
    this.events = []
    this.output = ''
  }

  /** The server says `text`, in pieces cut at the offsets; what the client says to it. */
  hear(text: string, cuts: readonly number[] = []): string {
    let said = ''
    let from = 0
    for (const cut of [...cuts, text.length]) {
      this.engine.receive(Buffer.from(text.slice(from, cut), 'latin1'))
      said += this.run()
      from = cut
    }
    return said
  }

  run(): string {
    for (;;) {
      const event = this.engine.next()
      if (event === null) break
      this.events.push(event)
    }
    const said = Buffer.concat(this.engine.takeOutput()).toString('latin1')
    this.output += said
    return said
  }

  send(given: Partial<SmtpEnvelope> = {}): string {
    this.engine.send({ ...envelope, ...given })
    return this.run()
  }

  /** Writes a body and its end. */
  body(...chunks: readonly string[]): string {
    for (const chunk of chunks) this.engine.write(Buffer.from(chunk, 'latin1'))
    this.engine.end()
    return this.run()
  }

  /** Up to `ready`, at a server with these keywords. */
  begin(...keywords: readonly string[]): this {
    this.hear('220 mx.example.test ESMTP\r\n')
    this.hear(ehlo(...keywords))
    this.output = ''
    return this
  }

  get outcomes(): readonly MessageOutcome[] {
    return this.events.flatMap((event) => (event.type === 'message' ? [event.outcome] : []))
  }

  /** Of the last message, each recipient as `+250` or `-550`. */
  get outcome(): string {
    const { recipients = [] } = this.outcomes.at(-1) ?? {}
    return recipients.map(({ accepted, reply }) => `${accepted ? '+' : '-'}${reply.code}`).join(' ')
  }

  get closed(): (SmtpClientEvent & { type: 'closed' }) | undefined {
    const last = this.events.at(-1)
    return last?.type === 'closed' ? last : undefined
  }
}

/** The reply to EHLO. */
export function ehlo(...keywords: readonly string[]): string {
  const lines = ['mx.example.test', ...keywords]
  return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('')
}

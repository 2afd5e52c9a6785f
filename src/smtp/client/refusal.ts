import { PeerError } from '../../core/errors.js'
import type { Reply } from '../../interfaces/index.js'

/** The peer said no, in a reply that the host may want to read. Its code is `REFUSED`. */
export class SmtpRefusal extends PeerError {
  readonly reply: Reply

  constructor(message: string, reply: Reply) {
    super('REFUSED', message)
    this.name = 'SmtpRefusal'
    this.reply = reply
  }
}

export function refusal(what: string, reply: Reply): SmtpRefusal {
  const enhanced = reply.enhanced === '' ? '' : ` ${reply.enhanced}`
  return new SmtpRefusal(`${what}: ${reply.code}${enhanced} ${reply.lines.join(' ')}`, reply)
}

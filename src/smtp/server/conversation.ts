import type { Wait } from '../../core/engine.js'
import { InputQueue } from '../../core/input-queue.js'
import { OutputQueue } from '../../core/output-queue.js'
import type { AbortReason, Reply } from '../../interfaces/index.js'
import type { ServerExchange } from '../../sasl/index.js'
import { formatReply } from '../grammar/index.js'
import type { Ask } from './command.js'
import type { SmtpCloseReason, SmtpServerEvent } from './events.js'
import type { MessageReader } from './message-reader.js'
import type { ResolvedSmtpServerOptions } from './options.js'
import { INPUT_BEFORE_354, TOO_MANY_ERRORS, TOO_MANY_REFUSED } from './replies.js'
import type { SmtpServerState } from './state.js'

/** What the next octets are: nothing yet, a command, a line of an AUTH exchange, a message, or of no interest. */
export type Mode = 'greeting' | 'command' | 'exchange' | 'message' | 'upgrade' | 'closed'

/** All that one session remembers; the commands act on it and the engine drives it. */
export class Conversation {
  readonly options: ResolvedSmtpServerOptions
  readonly input: InputQueue
  readonly output: OutputQueue
  readonly events: SmtpServerEvent[]
  mode: Mode
  state: SmtpServerState
  /** The question that waits for the host. */
  pending: Ask | null
  secure: boolean
  authenticated: boolean
  /** EHLO, not HELO: extensions may be used. */
  extended: boolean
  exchange: ServerExchange | null
  message: MessageReader | null
  /** Accepted recipients of the transaction, and refused ones. */
  recipients: number
  refused: number
  messages: number
  junk: number
  failedLogins: number
  wait: Wait
  #errors: number
  #refusedRecipients: number

  constructor(options: ResolvedSmtpServerOptions) {
    this.options = options
    this.input = new InputQueue()
    this.output = new OutputQueue('server', options.wireLog)
    this.events = []
    this.mode = 'greeting'
    this.state = 'start'
    this.pending = null
    this.secure = options.secure
    this.authenticated = false
    this.extended = false
    this.exchange = null
    this.message = null
    this.recipients = 0
    this.refused = 0
    this.messages = 0
    this.junk = 0
    this.failedLogins = 0
    this.wait = { kind: 'greeting', ms: options.greetingDelayMs }
    this.#errors = 0
    this.#refusedRecipients = 0
  }

  /** Says a reply. 421 closes, and so does one error too many. */
  say(reply: Reply): void {
    this.output.text(formatReply(reply))
    if (reply.code === 421) this.close('refused')
    else if (reply.code >= 500 && ++this.#errors > this.options.limits.errors) {
      this.closeWith(TOO_MANY_ERRORS, 'limit')
    }
  }

  /** Says that a recipient is refused: counted apart, since one message may have many that are unknown. */
  sayRefusedRecipient(reply: Reply): void {
    this.refused++
    this.output.text(formatReply(reply))
    if (reply.code === 421) this.close('refused')
    else if (++this.#refusedRecipients > this.options.limits.refusedRecipients) {
      this.closeWith(TOO_MANY_REFUSED, 'limit')
    }
  }

  /**
   * Says that no message is wanted. A client that has sent it already, with the command, would have its message read
   * as commands: then the session ends.
   */
  sayNoMessage(reply: Reply): void {
    this.say(reply)
    if (this.input.size > 0) this.closeWith(INPUT_BEFORE_354, 'protocol')
  }

  ask(ask: Ask, event: SmtpServerEvent): void {
    this.pending = ask
    this.events.push(event)
  }

  /** The transaction, if there is one, is over without a message. */
  endTransaction(reason: AbortReason): void {
    if (this.state !== 'mail' && this.state !== 'rcpt') return
    this.leaveTransaction()
    this.events.push({ type: 'reset', reason })
  }

  /** The transaction is over and the host knows how. */
  leaveTransaction(): void {
    this.state = this.extended ? 'ready' : 'helo'
    this.recipients = 0
    this.refused = 0
  }

  /** A new deadline for the client to send the next thing. */
  expectCommand(): void {
    this.mode = 'command'
    const { limits, service } = this.options
    this.wait =
      service === 'submission' && !this.authenticated
        ? { kind: 'login', ms: limits.loginMs }
        : { kind: 'command', ms: limits.commandMs }
  }

  closeWith(reply: Reply, reason: SmtpCloseReason): void {
    if (this.mode === 'closed') return
    this.output.text(formatReply(reply))
    this.close(reason)
  }

  close(reason: SmtpCloseReason): void {
    if (this.mode === 'closed') return
    this.mode = 'closed'
    this.pending = null
    this.exchange = null
    this.message = null
    this.input.clear()
    this.endTransaction(abortReasons[reason])
    this.events.push({ type: 'closed', reason })
  }
}

const abortReasons = {
  quit: 'reset',
  lost: 'lost',
  timeout: 'lost',
  refused: 'refused',
  limit: 'refused',
  protocol: 'refused',
  shutdown: 'shutdown',
} as const satisfies Readonly<Record<SmtpCloseReason, AbortReason>>

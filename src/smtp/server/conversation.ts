import type { Wait } from '../../core/engine.js'
import { InputQueue } from '../../core/input-queue.js'
import { OutputQueue } from '../../core/output-queue.js'
import type { AbortReason, EnvelopeStart, Reply } from '../../interfaces/index.js'
import type { ServerExchange } from '../../sasl/index.js'
import { formatReply } from '../grammar/index.js'
import type { Ask } from './command.js'
import type { SmtpCloseReason, SmtpServerEvent } from './events.js'
import type { MessageReader } from './message-reader.js'
import type { ResolvedSmtpServerOptions } from './options.js'
import { INPUT_BEFORE_354, OK, TOO_MANY_ERRORS, TOO_MANY_REFUSED } from './replies.js'
import type { SmtpServerState } from './state.js'

/** What the next octets are: nothing yet, a command, a line of an AUTH exchange, a message, a chunk of one, or of no interest. */
export type Mode = 'greeting' | 'command' | 'exchange' | 'message' | 'chunk' | 'upgrade' | 'closed'

/** The octets that follow a BDAT. */
export interface Chunk {
  readonly size: number
  readonly last: boolean
  /** Octets that are still to come. */
  left: number
  /** What is said in the end of a chunk that nobody wants; null for one that goes to the host. */
  verdict: Reply | null
}

const FOREVER: Wait = { kind: 'greeting', ms: Number.POSITIVE_INFINITY }

/** All that one session remembers; the commands act on it and the engine drives it. */
export class Conversation {
  readonly options: ResolvedSmtpServerOptions
  readonly input: InputQueue
  readonly output: OutputQueue
  /**
   * What there is to tell: the first of it, and what few occasions have beside. It stays short: all of it is taken before
   * anything more is read, and no octets read at a time tell more than four things.
   */
  #event: SmtpServerEvent | null
  #events: SmtpServerEvent[] | null
  mode: Mode
  /** The command at hand holds nothing but printable ASCII. */
  plain: boolean
  /** Where the greeting stands: the host is to be asked, it is held back, or it is due. */
  greeting: 'ask' | 'delayed' | 'due'
  /** The client is a trusted proxy that has said for whom it speaks. */
  proxied: boolean
  state: SmtpServerState
  /** The question that waits for the host. */
  pending: Ask | null
  secure: boolean
  authenticated: boolean
  /** EHLO, not HELO: extensions may be used. */
  extended: boolean
  exchange: ServerExchange | null
  message: MessageReader | null
  chunk: Chunk | null
  /** What MAIL said; null outside a transaction. */
  envelope: EnvelopeStart | null
  /** What a MAIL says that the host has not answered yet. */
  offered: EnvelopeStart | null
  /** Accepted recipients of the transaction, and refused ones. */
  recipients: number
  refused: number
  /** The session is over by QUIT, and nothing came behind it. */
  peerHasLeft: boolean
  messages: number
  junk: number
  failedLogins: number
  wait: Wait
  /** Replies that are held back, see `tarpitMs`. */
  #held: string
  #errors: number
  #refusedRecipients: number

  constructor(options: ResolvedSmtpServerOptions) {
    this.options = options
    this.input = new InputQueue()
    this.output = new OutputQueue('server', options.wireLog)
    this.#event = null
    this.#events = null
    this.mode = 'greeting'
    this.plain = true
    this.greeting = 'ask'
    this.proxied = false
    this.state = 'start'
    this.pending = null
    this.secure = options.secure
    this.authenticated = false
    this.extended = false
    this.exchange = null
    this.message = null
    this.chunk = null
    this.envelope = null
    this.offered = null
    this.recipients = 0
    this.refused = 0
    this.peerHasLeft = false
    this.messages = 0
    this.junk = 0
    this.failedLogins = 0
    this.wait = FOREVER
    this.#held = ''
    this.#errors = 0
    this.#refusedRecipients = 0
  }

  /** LMTP, not SMTP. */
  get lmtp(): boolean {
    return this.options.service === 'lmtp'
  }

  /** Says a reply. 421 closes, and so does one error too many. `utf8` where the client has asked for it. */
  say(reply: Reply, utf8 = false): void {
    const text = formatReply(reply, utf8)
    if (reply.code < 500) {
      this.#write(text)
      if (reply.code === 421) this.close('refused')
    } else this.#sayFailure(text, ++this.#errors, this.options.limits.errors, TOO_MANY_ERRORS)
  }

  /** Says that a recipient is refused: counted apart, since one message may have many that are unknown. */
  sayRefusedRecipient(reply: Reply): void {
    this.refused++
    const text = formatReply(reply)
    if (reply.code === 421) {
      this.#write(text)
      this.close('refused')
    } else
      this.#sayFailure(
        text,
        ++this.#refusedRecipients,
        this.options.limits.refusedRecipients,
        TOO_MANY_REFUSED,
      )
  }

  /** Says what became of a message, and its transaction is over. In LMTP each recipient has a reply (RFC 2033). */
  sayOutcome(reply: Reply): void {
    if (this.lmtp) {
      this.sayOutcomes(new Array<Reply>(this.recipients).fill(reply))
      return
    }
    this.leaveTransaction()
    this.say(reply)
  }

  /** The same with replies that differ. Together they are one error at most. */
  sayOutcomes(replies: readonly Reply[]): void {
    this.leaveTransaction()
    for (const reply of replies.slice(0, -1)) this.#write(formatReply(reply))
    const last = replies.at(-1)
    if (last !== undefined) this.say(last)
    if (replies.some((reply) => reply.code === 421)) this.close('refused')
  }

  /** Says what was held back. */
  release(): void {
    const held = this.#held
    this.#held = ''
    if (held !== '') this.output.text(held)
  }

  /** What is said while something is held back waits behind it. */
  #write(text: string): void {
    if (this.#held === '') this.output.text(text)
    else this.#held += text
  }

  /** Closes after one failure too many; after some, holds the reply back for a while. */
  #sayFailure(text: string, failures: number, most: number, farewell: Reply): void {
    const { tarpitMs, limits } = this.options
    if (tarpitMs > 0 && failures > limits.softErrors && failures <= most && this.pending === null) {
      this.#held = text
      this.ask(tarpitAsk, { type: 'tarpit', ms: tarpitMs })
    } else {
      this.#write(text)
      if (failures > most) this.closeWith(farewell, 'limit')
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

  tell(event: SmtpServerEvent): void {
    if (this.#event === null) this.#event = event
    else if (this.#events === null) this.#events = [event]
    else this.#events.push(event)
  }

  /** The next of what there is to tell. */
  takeEvent(): SmtpServerEvent | null {
    const event = this.#event
    if (event === null) return null
    this.#event = this.#events?.shift() ?? null
    if (this.#event === null) this.#events = null
    return event
  }

  ask(ask: Ask, event: SmtpServerEvent): void {
    this.pending = ask
    this.tell(event)
  }

  /** The transaction, if there is one, is over without a message. */
  endTransaction(reason: AbortReason): void {
    if (this.envelope === null) return
    const known = this.state === 'failed'
    this.leaveTransaction()
    if (!known) this.tell({ type: 'reset', reason, refusal: null })
  }

  /** A chunk of the message has failed: the host is done with the transaction, and the client has yet to end it. */
  failTransaction(refusal: Reply | null): void {
    if (this.envelope === null || this.state === 'failed') return
    this.state = 'failed'
    this.tell({ type: 'reset', reason: 'refused', refusal })
  }

  /** The transaction is over and the host knows how. */
  leaveTransaction(): void {
    this.state = this.extended ? 'ready' : 'helo'
    this.envelope = null
    this.message = null
    this.recipients = 0
    this.refused = 0
  }

  /** The session is another client's from here on, beginning with its greeting: what was counted is not that client's. */
  startAnew(authenticated: boolean): void {
    this.state = 'start'
    this.extended = false
    this.authenticated = authenticated
    this.mode = 'greeting'
    this.greeting = 'ask'
    this.proxied = true
    this.messages = 0
    this.failedLogins = 0
    this.#errors = 0
    this.#refusedRecipients = 0
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
    this.#write(formatReply(reply))
    this.close(reason)
  }

  close(reason: SmtpCloseReason): void {
    if (this.mode === 'closed') return
    this.mode = 'closed'
    this.peerHasLeft = reason === 'quit' && this.input.size === 0
    this.release()
    this.pending = null
    this.exchange = null
    this.message = null
    this.chunk = null
    this.input.clear()
    this.endTransaction(abortReasons[reason])
    this.tell({ type: 'closed', reason })
  }
}

const tarpitAsk: Ask = {
  acceptance: OK,
  answered: (conversation) => conversation.release(),
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

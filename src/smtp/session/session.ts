import type { Clock } from '../../core/clock.js'
import { systemClock } from '../../core/clock.js'
import type { EventHandler } from '../../core/driver.js'
import type { TlsInfo } from '../../core/engine.js'
import { replyForError } from '../../core/errors.js'
import { escapeControls } from '../../core/wire-log.js'
import type {
  AbortReason,
  Authenticator,
  AuthFailure,
  Delivery,
  EnvelopeStart,
  Logger,
  LogLevel,
  LogValue,
  PlainCredentials,
  Policy,
  Recipient,
  Reply,
  SessionContext,
  Transaction,
} from '../../interfaces/index.js'
import { reply, silentLogger } from '../../interfaces/index.js'
import type { SmtpServerEngine, SmtpServerEvent } from '../server/index.js'
import { commitReply } from './commit-reply.js'
import { makeReceived } from './received.js'

/** What is known of a connection before it says anything. */
export interface SmtpConnection {
  /** Unique to the session, letters, digits, `-` and `.`; a random UUID does. */
  readonly id: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** Of implicit TLS, else null. */
  readonly tls: TlsInfo | null
}

export interface SmtpServerSessionOptions {
  readonly engine: SmtpServerEngine
  readonly connection: SmtpConnection
  readonly delivery: Delivery
  /** Needed where the engine offers mechanisms. */
  readonly authenticator?: Authenticator | null
  readonly policy?: Policy | null
  readonly logger?: Logger
  readonly clock?: Clock
}

/** A transaction as the session keeps it. */
interface OpenTransaction {
  readonly envelope: EnvelopeStart
  readonly delivery: Transaction
  /** Recipients taken, each once. */
  readonly recipients: Map<string, Recipient>
  /** The reply in place of a commit, once a write has failed. */
  failure: Reply | null
}

/** A disabled user hears the same as a wrong password, so that nobody learns which users there are. */
const authFailures: Readonly<Record<AuthFailure, Reply>> = {
  invalid: reply(535, '5.7.8', 'Authentication credentials invalid'),
  disabled: reply(535, '5.7.8', 'Authentication credentials invalid'),
  unavailable: reply(454, '4.7.0', 'Temporary authentication failure'),
  throttled: reply(421, '4.7.0', 'Too many failed logins, try again later'),
}

/**
 * Joins an SMTP server engine to what a host plugs in: each ask of the engine becomes a call of Policy, Authenticator
 * or Delivery, and what that resolves to becomes the reply. An exception on the way is a 451, and the session goes on.
 */
export class SmtpServerSession implements EventHandler<SmtpServerEvent> {
  readonly engine: SmtpServerEngine
  readonly #delivery: Delivery
  readonly #authenticator: Authenticator | null
  readonly #policy: Policy | null
  readonly #logger: Logger
  readonly #clock: Clock
  #context: SessionContext
  #extended: boolean
  #transaction: OpenTransaction | null
  #messages: number

  constructor(options: SmtpServerSessionOptions) {
    const { engine, connection } = options
    this.engine = engine
    this.#delivery = options.delivery
    this.#authenticator = options.authenticator ?? null
    this.#policy = options.policy ?? null
    this.#logger = options.logger ?? silentLogger
    this.#clock = options.clock ?? systemClock
    this.#extended = false
    this.#transaction = null
    this.#messages = 0
    this.#context = {
      ...connection,
      helo: '',
      transmission: 'SMTP',
      user: null,
      service: engine.options.service,
      signal: new AbortController().signal,
    }
  }

  /** What policy and delivery are told of the session at this moment. */
  get context(): SessionContext {
    return this.#context
  }

  /** Takes the signal that tells of a lost connection; a `Driver` has one. Call it before the driver runs. */
  attach(connection: { readonly signal: AbortSignal }): void {
    this.#context = { ...this.#context, signal: connection.signal }
  }

  handle(event: SmtpServerEvent): Promise<void> | undefined {
    switch (event.type) {
      case 'body':
        return this.#body(event.chunk)
      case 'connect':
        return this.#answer(this.#connect())
      case 'helo':
        return this.#answer(this.#helo(event.name, event.extended))
      case 'mail':
        return this.#answer(this.#mail(event.envelope))
      case 'rcpt':
        return this.#answer(this.#rcpt(event.recipient))
      case 'data':
        return this.#answer(this.#data())
      case 'dataEnd':
        return this.#answer(this.#dataEnd(event.size))
      case 'auth':
        return this.#answer(this.#auth(event.mechanism, event.credentials))
      case 'tls':
        this.#extended = false
        this.#setContext({ tls: event.info, helo: '', user: null })
        return undefined
      case 'busy':
        return new Promise((resolve) => setImmediate(resolve))
      case 'reset':
        return this.#abort(event.reason)
      case 'closed':
        this.#log('debug', 'smtp.closed', { reason: event.reason })
        return this.#abort('lost')
      default:
        return event satisfies never
    }
  }

  /** Undefined means yes. */
  async #answer(answer: Promise<Reply | undefined>): Promise<void> {
    let said: Reply | undefined
    try {
      said = await answer
    } catch (error) {
      said = this.#failed(error)
    }
    if (said === undefined) {
      this.engine.accept()
      return
    }
    try {
      this.engine.reply(said)
    } catch (error) {
      this.engine.reply(this.#failed(error))
    }
  }

  #failed(error: unknown): Reply {
    const { smtp, text } = replyForError(error)
    this.#log('error', 'smtp.error', { message: error instanceof Error ? error.message : String(error) })
    return reply(smtp.code, smtp.enhanced, text)
  }

  async #connect(): Promise<Reply | undefined> {
    this.#log('debug', 'smtp.connect', {})
    return this.#policy?.connect?.(this.#context)
  }

  async #helo(name: string, extended: boolean): Promise<Reply | undefined> {
    const before = this.#context
    const wasExtended = this.#extended
    this.#extended = extended
    this.#setContext({ helo: name })
    const refusal = await this.#policy?.helo?.(this.#context)
    if (refusal !== undefined && refusal.code >= 300) {
      this.#extended = wasExtended
      this.#context = before
    }
    return refusal
  }

  async #mail(envelope: EnvelopeStart): Promise<Reply | undefined> {
    const refusal = await this.#policy?.mail?.(envelope, this.#context)
    if (isRefusal(refusal)) return this.#refused('mail', refusal, { from: envelope.reversePath })
    const begun = await this.#delivery.begin(envelope, this.#context)
    if ('code' in begun) return this.#refused('mail', begun, { from: envelope.reversePath })
    this.#transaction = { envelope, delivery: begun, recipients: new Map(), failure: null }
    return undefined
  }

  async #rcpt(recipient: Recipient): Promise<Reply | undefined> {
    const transaction = this.#open()
    const { envelope, recipients } = transaction
    const key = `${recipient.localPart}@${recipient.domain}`
    if (recipients.has(key)) return undefined
    const vetoed = await this.#policy?.recipient?.(recipient, envelope, this.#context)
    const refusal = isRefusal(vetoed) ? vetoed : await transaction.delivery.recipient(recipient)
    if (isRefusal(refusal)) {
      return this.#refused('rcpt', refusal, { from: envelope.reversePath, to: recipient.address })
    }
    recipients.set(key, recipient)
    return refusal
  }

  async #data(): Promise<Reply | undefined> {
    const { delivery, envelope } = this.#open()
    const refusal = await delivery.ready()
    return isRefusal(refusal) ? this.#refused('data', refusal, { from: envelope.reversePath }) : undefined
  }

  #body(chunk: Uint8Array): Promise<void> | undefined {
    const transaction = this.#transaction
    if (transaction === null || transaction.failure !== null) return undefined
    try {
      const written = transaction.delivery.write(chunk)
      return written === undefined
        ? undefined
        : written.catch((error) => this.#writeFailed(transaction, error))
    } catch (error) {
      return this.#writeFailed(transaction, error)
    }
  }

  /** The rest of the message is not written; the client hears of it after the end of the data. */
  #writeFailed(transaction: OpenTransaction, error: unknown): Promise<void> {
    transaction.failure = this.#failed(error)
    return this.#abandon(transaction, 'refused')
  }

  async #dataEnd(size: number): Promise<Reply> {
    const transaction = this.#open()
    const { envelope, recipients, delivery, failure } = transaction
    this.#transaction = null
    const all = [...recipients.values()]
    const facts = { from: envelope.reversePath, to: all.map((each) => each.address), size }
    if (failure !== null) return this.#refused('message', failure, facts)
    const id = `${this.#context.id}.${++this.#messages}`
    const received = makeReceived(this.#context, {
      hostname: this.engine.options.hostname,
      id,
      recipient: all.length === 1 ? (all[0]?.address ?? null) : null,
      now: this.#clock.now(),
    })
    const result = await delivery.commit(received)
    const said = commitReply(result)
    if ('recipients' in result) this.#logRecipients(id, all, result.recipients)
    if (said.code >= 300) return this.#refused('message', said, facts)
    this.#log('info', 'smtp.accepted', { message: id, ...facts })
    return said
  }

  #logRecipients(id: string, recipients: readonly Recipient[], replies: readonly Reply[]): void {
    for (const [index, each] of replies.entries()) {
      if (each.code < 300) continue
      const to = recipients[index]?.address ?? ''
      this.#log('warn', 'smtp.undelivered', { message: id, to, code: each.code, text: each.lines.join(' ') })
    }
  }

  async #auth(mechanism: string, credentials: PlainCredentials): Promise<Reply | undefined> {
    const { user, authorizationId } = credentials
    const result = await this.#check(mechanism, credentials)
    if (
      result.ok &&
      (authorizationId === '' || authorizationId === user || authorizationId === result.user)
    ) {
      this.#setContext({ user: result.user })
      this.#log('info', 'auth.ok', { mechanism, user: result.user })
      return undefined
    }
    const failure = result.ok ? 'invalid' : result.failure
    this.#log('warn', 'auth.failed', { mechanism, user: escapeControls(user.slice(0, 255)), failure })
    return authFailures[failure]
  }

  async #check(
    mechanism: string,
    credentials: PlainCredentials,
  ): Promise<Awaited<ReturnType<NonNullable<Authenticator['plain']>>>> {
    const { remoteAddress, signal } = this.#context
    const unavailable = { ok: false, failure: 'unavailable' } as const
    try {
      return (
        (await this.#authenticator?.plain?.(credentials, {
          protocol: 'smtp',
          mechanism,
          remoteAddress,
          secure: this.engine.secure,
          signal,
        })) ?? unavailable
      )
    } catch (error) {
      this.#failed(error)
      return unavailable
    }
  }

  #open(): OpenTransaction {
    if (this.#transaction === null) throw new Error('there is no open transaction')
    return this.#transaction
  }

  #abort(reason: AbortReason): Promise<void> | undefined {
    const transaction = this.#transaction
    this.#transaction = null
    if (transaction === null || transaction.failure !== null) return undefined
    return this.#abandon(transaction, reason)
  }

  async #abandon(transaction: OpenTransaction, reason: AbortReason): Promise<void> {
    try {
      await transaction.delivery.abort(reason)
    } catch (error) {
      this.#failed(error)
    }
  }

  #refused(step: string, said: Reply, facts: Readonly<Record<string, LogValue>>): Reply {
    this.#log('info', 'smtp.refused', { step, code: said.code, text: said.lines.join(' '), ...facts })
    return said
  }

  #setContext(change: Partial<SessionContext>): void {
    const context = { ...this.#context, ...change }
    const tls = this.engine.secure ? 'S' : ''
    const auth = context.user === null ? '' : 'A'
    this.#context = { ...context, transmission: this.#extended ? `ESMTP${tls}${auth}` : 'SMTP' }
  }

  #log(level: LogLevel, event: string, fields: Readonly<Record<string, LogValue>>): void {
    const { id, remoteAddress } = this.#context
    this.#logger.log(level, event, { session: id, remote: remoteAddress, ...fields })
  }
}

function isRefusal(answer: Reply | undefined): answer is Reply {
  return answer !== undefined && answer.code >= 300
}

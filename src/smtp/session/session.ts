import type { Clock } from '../../core/clock.js'
import { systemClock } from '../../core/clock.js'
import type { EventHandler } from '../../core/driver.js'
import { expectCommitResult, expectReply, expectTransaction, isReplyList } from '../../interfaces/answer.js'
import type {
  AbortReason,
  Authenticator,
  Delivery,
  EnvelopeStart,
  Logger,
  Policy,
  Recipient,
  Reply,
  SessionContext,
} from '../../interfaces/index.js'
import { silentLogger } from '../../interfaces/index.js'
import type { AuthAnswer } from '../../sasl/index.js'
import { askAuthenticator } from '../../sasl/index.js'
import { formatReply } from '../grammar/index.js'
import type { SmtpHostVerb, SmtpServerEngine, SmtpServerEvent } from '../server/index.js'
import { refusalOfSolicitation } from '../server/index.js'
import { commitReply, NOT_TOLD } from './commit-reply.js'
import { type Connected, Context, type Known, type SmtpConnection } from './context.js'
import { HeaderTags } from './header-tags.js'
import { proxiedBy } from './proxied.js'
import { makeReceived } from './received.js'
import { SenderRights } from './sender-rights.js'
import { SessionLog } from './session-log.js'
import { SubmissionHeader } from './submission-header.js'
import { SessionTransaction } from './transaction.js'
import { transmissionOf } from './transmission.js'

export interface SmtpServerSessionOptions {
  readonly engine: SmtpServerEngine
  readonly connection: SmtpConnection
  readonly delivery: Delivery
  /** Submission: the sender must belong to the login, where the delivery can tell (`owns`); true by default. */
  readonly checkSender?: boolean
  /** Submission: missing or empty Date, Message-ID and From are added, and Bcc is taken out (RFC 6409 section 8); true by default. */
  readonly mendHeader?: boolean
  /** Needed where the engine offers mechanisms. */
  readonly authenticator?: Authenticator | null
  readonly policy?: Policy | null
  readonly logger?: Logger
  readonly clock?: Clock
}

/** Undefined means yes; a list is for each recipient in LMTP. */
type Answer = Reply | readonly Reply[] | undefined
type Event<T extends SmtpServerEvent['type']> = Extract<SmtpServerEvent, { readonly type: T }>
/** What the engine waits for a reply to. */
type Question = Event<
  'connect' | 'helo' | 'mail' | 'rcpt' | 'data' | 'dataEnd' | 'chunkEnd' | 'query' | 'login'
>

/**
 * Joins an SMTP server engine to what a host plugs in: each ask of the engine becomes a call of Policy, Authenticator
 * or Delivery, and what that resolves to becomes the reply. An exception on the way is a 451, and the session goes on.
 */
export class SmtpServerSession implements EventHandler<SmtpServerEvent> {
  readonly engine: SmtpServerEngine
  readonly #delivery: Delivery
  readonly #authenticator: Authenticator | null
  readonly #policy: Policy | null
  readonly #log: SessionLog
  readonly #clock: Clock
  readonly #rights: SenderRights
  readonly #mendHeader: boolean
  #context: Context
  #extended: boolean
  #transaction: SessionTransaction | null
  #messages: number

  constructor(options: SmtpServerSessionOptions) {
    const { engine, connection } = options
    this.engine = engine
    this.#delivery = options.delivery
    this.#authenticator = options.authenticator ?? null
    this.#policy = options.policy ?? null
    this.#log = new SessionLog(options.logger ?? silentLogger, this)
    this.#clock = options.clock ?? systemClock
    const submission = engine.options.service === 'submission'
    this.#rights = new SenderRights(options.delivery, submission && (options.checkSender ?? true))
    this.#mendHeader = submission && (options.mendHeader ?? true)
    this.#extended = false
    this.#transaction = null
    this.#messages = 0
    this.#context = Context.of(connection, engine.options.service)
  }

  /** What policy and delivery are told of the session at this moment. */
  get context(): SessionContext {
    return this.#context
  }

  /** Takes the signal that tells of a lost connection; a `Driver` has one. Call it before the driver runs. */
  attach(connection: Connected): void {
    this.#context = this.#context.on(connection)
  }

  handle(event: SmtpServerEvent): Promise<void> | undefined {
    switch (event.type) {
      case 'body':
        return this.#transaction?.write(event.chunk)
      case 'tarpit':
        return this.#tarpit(event.ms)
      case 'authenticate':
        return this.#authenticate(event)
      case 'xclient':
        this.#proxied(event.attributes)
        return undefined
      case 'xforward':
        this.#forwarded(event.attributes)
        return undefined
      case 'tls':
        this.#extended = false
        this.#setContext({ tls: event.info, helo: '', user: null })
        return undefined
      case 'busy':
        return new Promise((resolve) => setImmediate(resolve))
      case 'reset':
        return this.#reset(event.reason, event.refusal)
      case 'closed':
        this.#log.write('debug', 'smtp.closed', { reason: event.reason })
        return this.#closed()
      default:
        return this.#question(event)
    }
  }

  /** What nobody has to wait for is answered at once. */
  #question(event: Question): Promise<void> | undefined {
    let answer: Answer | Promise<Answer>
    try {
      answer = this.#answerTo(event)
    } catch (error) {
      answer = this.#log.failed(error)
    }
    if (isPromise(answer)) return this.#sayLater(answer)
    this.#say(answer)
    return undefined
  }

  #answerTo(event: Question): Answer | Promise<Answer> {
    switch (event.type) {
      case 'connect':
        this.#log.write('debug', 'smtp.connect', {})
        return this.#policy?.connect?.(this.#context)
      case 'helo':
        return this.#helo(event.name, event.extended)
      case 'mail':
        return this.#mail(event.envelope)
      case 'rcpt':
        return this.#rcpt(event.recipient)
      case 'data':
        return this.#data()
      case 'dataEnd':
        return this.#dataEnd(event.size)
      case 'chunkEnd':
        // A delivery that has failed need not be sent the rest.
        return this.#transaction?.failure ?? undefined
      case 'query':
        return this.#query(event.verb, event.argument)
      case 'login':
        return this.#login(event)
      default:
        return event satisfies never
    }
  }

  async #sayLater(answer: Promise<Answer>): Promise<void> {
    let said: Answer
    try {
      said = await answer
    } catch (error) {
      said = this.#log.failed(error)
    }
    this.#say(said)
  }

  #say(said: Answer): void {
    if (said === undefined) {
      this.engine.accept()
      return
    }
    try {
      if (isReplyList(said)) this.engine.replyEach(said)
      else this.engine.reply(expectReply(said))
    } catch (error) {
      this.engine.reply(this.#log.failed(error))
    }
  }

  #helo(name: string, extended: boolean): Promise<Answer> | undefined {
    const before = this.#context
    const wasExtended = this.#extended
    this.#extended = extended
    this.#setContext({ helo: name })
    const asked = this.#policy?.helo?.(this.#context)
    return asked === undefined ? undefined : this.#named(asked, before, wasExtended)
  }

  /** A name that is refused leaves everything as it was. */
  async #named(
    asked: Promise<Reply | undefined>,
    before: Context,
    wasExtended: boolean,
  ): Promise<Reply | undefined> {
    let refused = true
    try {
      const answer = await asked
      refused = isRefusal(answer)
      return answer
    } finally {
      if (refused) {
        this.#extended = wasExtended
        this.#context = before
      }
    }
  }

  async #mail(given: EnvelopeStart): Promise<Reply | undefined> {
    const { reversePath, smtpUtf8, auth = '' } = given
    const envelope =
      auth === '' || (await this.#rights.maySpeakFor(auth, this.#context.user))
        ? given
        : { ...given, auth: '' }
    this.#setTransmission(smtpUtf8)
    const asked = this.#refusalOfSender(envelope)
    const answer = asked === undefined ? undefined : await asked
    if (isRefusal(answer)) return this.#log.refused('mail', answer, { from: reversePath })
    const begun = expectTransaction(await this.#delivery.begin(envelope, this.#context))
    if ('code' in begun) return this.#log.refused('mail', begun, { from: reversePath })
    const header = this.#mendHeader
      ? new SubmissionHeader({
          from: reversePath === '' ? addressOf(this.#context.user) : reversePath,
          hostname: this.engine.options.hostname,
          now: this.#clock.now(),
        })
      : null
    this.#transaction = new SessionTransaction(envelope, begun, header, this.#tagsOf(), (error) =>
      this.#log.failed(error),
    )
    return answer
  }

  /** A header is read only where the delivery takes part in what it may ask for. */
  #tagsOf(): HeaderTags | null {
    const { requireTls, rrvs, noSoliciting } = this.engine.options.features
    return requireTls || rrvs || noSoliciting !== null ? new HeaderTags() : null
  }

  #refusalOfSender(envelope: EnvelopeStart): Promise<Reply | undefined> | undefined {
    const owner = this.#rights.refusal(envelope, this.#context.user)
    const ask = (): Promise<Reply | undefined> | undefined => this.#policy?.mail?.(envelope, this.#context)
    return owner === undefined ? ask() : owner.then((refusal) => refusal ?? ask())
  }

  async #rcpt(recipient: Recipient): Promise<Reply | undefined> {
    const transaction = this.#open()
    const { envelope } = transaction
    if (transaction.repeats(recipient)) return undefined
    const asked = this.#policy?.recipient?.(recipient, envelope, this.#context)
    const first = asked === undefined ? undefined : await asked
    const own = isRefusal(first) ? first : await transaction.recipient(recipient)
    const answer = own === undefined ? first : own
    if (isRefusal(answer))
      return this.#log.refused('rcpt', answer, { from: envelope.reversePath, to: recipient.address })
    transaction.accepted(recipient)
    return answer
  }

  async #data(): Promise<Reply | undefined> {
    const transaction = this.#open()
    const refusal = await transaction.ready()
    return isRefusal(refusal)
      ? this.#log.refused('data', refusal, { from: transaction.envelope.reversePath })
      : undefined
  }

  async #dataEnd(size: number): Promise<Reply | readonly Reply[]> {
    const transaction = this.#open()
    const { envelope, recipients } = transaction
    const tags = transaction.tags()
    this.#transaction = null
    const facts = { from: envelope.reversePath, to: recipients.map((each) => each.address), size }
    const id = `${this.#context.id}.${++this.#messages}`
    const received = makeReceived(this.#context, {
      hostname: this.engine.options.hostname,
      id,
      recipient: recipients.length === 1 ? (recipients[0]?.address ?? null) : null,
      now: this.#clock.now(),
      solicitation: tags?.solicitation ?? [],
    })
    // MAIL refused what SOLICIT= named; by then nobody knew of the message's own field.
    const unwanted = refusalOfSolicitation(this.engine.options, tags?.solicitation ?? [])
    const result = expectCommitResult(
      await (unwanted === null ? transaction.commit(received, tags) : transaction.refuse(unwanted)),
    )
    this.#leaveTransaction()
    if ('recipients' in result) for (const each of result.recipients) formatReply(each)
    const said = commitReply(result, recipients.length)
    if ('recipients' in result) this.#log.undelivered(id, recipients, result.recipients)
    if (said.code >= 300) this.#log.refused('message', said, facts)
    else this.#log.write('info', 'smtp.accepted', { message: id, ...facts })
    return 'recipients' in result && this.#context.service === 'lmtp'
      ? transaction.repliesFor(result.recipients, NOT_TOLD)
      : said
  }

  async #authenticate({ mechanism, question }: Event<'authenticate'>): Promise<void> {
    let answer: AuthAnswer = { ok: false, failure: 'unavailable' }
    try {
      const { id, remoteAddress, signal } = this.#context
      const { secure } = this.engine
      answer = await askAuthenticator(this.#authenticator, question, {
        protocol: 'smtp',
        mechanism,
        remoteAddress,
        session: id,
        secure,
        signal,
      })
    } catch (error) {
      this.#log.failed(error)
    }
    this.engine.answerAuth(answer)
  }

  /** The engine knows what to say to it. */
  #login({ mechanism, user, result }: Event<'login'>): undefined {
    if (result.ok) this.#setContext({ user: result.user })
    this.#log.login(mechanism, user, result)
  }

  #query(verb: SmtpHostVerb, argument: string): Promise<Reply> | undefined {
    switch (verb) {
      case 'VRFY':
        return this.#delivery.verify?.(argument, this.#context)
      case 'EXPN':
        return this.#delivery.expand?.(argument, this.#context)
      case 'ETRN':
        return this.#delivery.startQueue?.(argument, this.#context)
      default:
        return verb satisfies never
    }
  }

  async #tarpit(ms: number): Promise<void> {
    await this.#clock.sleep(ms, this.#context.signal).catch(() => undefined)
    this.engine.accept()
  }

  #proxied(attributes: ReadonlyMap<string, string | null>): void {
    this.#extended = false
    this.#setContext(proxiedBy(attributes, this.#context))
    this.#log.write('info', 'smtp.xclient', { user: this.#context.user })
  }

  #forwarded(attributes: ReadonlyMap<string, string | null>): void {
    const forwarded = Object.fromEntries([...attributes].map(([name, value]) => [name, value ?? '']))
    this.#context = this.#context.with({ forwarded: { ...this.#context.forwarded, ...forwarded } })
    this.#log.write('info', 'smtp.xforward', forwarded)
  }

  #open(): SessionTransaction {
    if (this.#transaction === null) throw new Error('there is no open transaction')
    return this.#transaction
  }

  async #abort(reason: AbortReason): Promise<void> {
    const transaction = this.#transaction
    this.#transaction = null
    this.#leaveTransaction()
    if (transaction === null || transaction.failure !== null) return
    try {
      await transaction.abort(reason)
    } catch (error) {
      this.#log.failed(error)
    }
  }

  /** What was said of one message only is forgotten. */
  #leaveTransaction(): void {
    if (this.#context.forwarded !== undefined) this.#context = this.#context.withoutForwarded()
    this.#setTransmission(false)
  }

  #reset(reason: AbortReason, refusal: Reply | null): Promise<void> | undefined {
    const transaction = this.#transaction
    if (refusal !== null && transaction !== null) {
      const { envelope, recipients } = transaction
      const to = recipients.map(({ address }) => address)
      this.#log.refused('message', refusal, { from: envelope.reversePath, to })
    }
    return this.#abort(reason)
  }

  async #closed(): Promise<void> {
    await this.#abort('lost')
    try {
      // Nobody waits for it, and yet a promise that rejects must not end the process.
      void Promise.resolve(this.#policy?.closed?.(this.#context)).catch((error) => this.#log.failed(error))
    } catch (error) {
      this.#log.failed(error)
    }
  }

  #setContext(change: Partial<Known>): void {
    this.#context = this.#context.with(change)
    this.#setTransmission(false)
  }

  #setTransmission(smtpUtf8: boolean): void {
    const transmission = transmissionOf(this.#context, this.#extended, smtpUtf8)
    if (transmission !== this.#context.transmission) this.#context = this.#context.with({ transmission })
  }
}

/** A user who logs in by his address has one. */
function addressOf(user: string | null): string {
  return user?.includes('@') ? user : ''
}

/** Throws for what is neither a yes nor a reply that can be sent, as `expectReply` and `formatReply` do. */
function isRefusal(answer: Reply | undefined): answer is Reply {
  if (answer === undefined) return false
  formatReply(expectReply(answer))
  return answer.code >= 300
}

function isPromise(answer: Answer | Promise<Answer>): answer is Promise<Answer> {
  return typeof (answer as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

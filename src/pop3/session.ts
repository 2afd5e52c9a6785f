import type { EventHandler, Flow } from '../core/index.js'
import { MailError, replyForError } from '../core/index.js'
import type { Account, Authenticator, Logger, Mailbox, MailStore } from '../interfaces/index.js'
import { silentLogger } from '../interfaces/index.js'
import { askAuthenticator } from '../sasl/index.js'
import type { Pop3ServerEngine } from './engine.js'
import type { Pop3ServerEvent } from './events.js'
import { Maildrop } from './maildrop.js'
import { TopCutter } from './top-cutter.js'

export interface Pop3ServerSessionOptions {
  readonly authenticator: Authenticator
  readonly store: MailStore
  readonly remoteAddress: string
  /** Unique to the session, for the log. */
  readonly id?: string
  readonly logger?: Logger
}

/** The INBOX that a session has locked. */
interface Open {
  readonly account: Account
  readonly mailbox: Mailbox
}

type Ask<T extends Pop3ServerEvent['type']> = Extract<Pop3ServerEvent, { readonly type: T }>

/** A POP3 session: answers an engine's events from an Authenticator and the INBOX of a MailStore. */
export class Pop3ServerSession implements EventHandler<Pop3ServerEvent> {
  readonly #engine: Pop3ServerEngine
  readonly #authenticator: Authenticator
  readonly #store: MailStore
  readonly #remoteAddress: string
  readonly #id: string
  readonly #logger: Logger
  #flow: Flow | null
  #open: Open | null
  #working: boolean

  constructor(engine: Pop3ServerEngine, options: Pop3ServerSessionOptions) {
    this.#engine = engine
    this.#authenticator = options.authenticator
    this.#store = options.store
    this.#remoteAddress = options.remoteAddress
    this.#id = options.id ?? ''
    this.#logger = options.logger ?? silentLogger
    this.#flow = null
    this.#open = null
    this.#working = false
  }

  /** Must be called with the driver before it runs. The lock on the maildrop ends with the driver's signal at the latest. */
  attach(flow: Flow): void {
    this.#flow = flow
    flow.signal.addEventListener('abort', () => {
      if (!this.#working) void this.#release()
    })
  }

  handle(event: Pop3ServerEvent): Promise<void> | undefined {
    switch (event.type) {
      case 'authenticate':
        return this.#work(this.#authenticate(event))
      case 'login':
        return this.#work(this.#login(event))
      case 'retrieve':
        return this.#work(this.#retrieve(event))
      case 'update':
        return this.#work(this.#update(event))
      case 'closed':
        this.#log('info', 'pop3.closed', { reason: event.reason })
        return this.#release()
      case 'tls':
      case 'busy':
        return undefined
      default:
        return event satisfies never
    }
  }

  async #work(task: Promise<void>): Promise<void> {
    this.#working = true
    try {
      await task
    } finally {
      this.#working = false
      if (this.#signal.aborted) await this.#release()
    }
  }

  async #authenticate({ mechanism, question }: Ask<'authenticate'>): Promise<void> {
    const answer = await askAuthenticator(this.#authenticator, question, {
      protocol: 'pop3',
      mechanism,
      remoteAddress: this.#remoteAddress,
      secure: this.#engine.secure,
      signal: this.#signal,
    })
    this.#engine.answerAuth(answer)
  }

  async #login({ result }: Ask<'login'>): Promise<void> {
    if (!result.ok) {
      this.#engine.refuseLogin(result.failure)
      return
    }
    try {
      const maildrop = await this.#lock(result.user)
      this.#log('info', 'pop3.opened', {
        user: result.user,
        messages: maildrop.count,
        octets: maildrop.octets,
      })
      this.#engine.acceptLogin(maildrop)
    } catch (error) {
      await this.#release()
      this.#refuse(error, 'The maildrop cannot be opened')
    }
  }

  /** Locks the INBOX and notes its messages; what is expunged meanwhile is left out. */
  async #lock(user: string): Promise<Maildrop> {
    const account = await this.#store.open(user)
    let mailbox: Mailbox
    try {
      mailbox = await account.select('INBOX', 'exclusive')
    } catch (error) {
      await account.close()
      throw error
    }
    this.#open = { account, mailbox }
    const snapshot = await mailbox.snapshot()
    const uids: number[] = []
    const sizes: number[] = []
    for await (const block of mailbox.messages(snapshot.uids, {})) {
      if (this.#signal.aborted) throw new MailError('closed', 'the connection is gone')
      for (const { uid, size } of block) {
        uids.push(uid)
        sizes.push(size)
      }
    }
    return new Maildrop(snapshot.uidValidity, uids, sizes)
  }

  async #retrieve(event: Ask<'retrieve'>): Promise<void> {
    const engine = this.#engine
    const cutter = event.lines === null ? null : new TopCutter(event.lines)
    let begun = false
    try {
      for await (const chunk of this.#mailbox.read(event.uid)) {
        if (this.#signal.aborted) return
        if (!begun) engine.acceptMessage()
        begun = true
        engine.body(cutter === null ? chunk : cutter.take(chunk))
        if (engine.outputSize > this.#attached.highWaterMark) await this.#attached.flush()
        if (cutter?.done) break
      }
      if (!begun) engine.acceptMessage()
      begun = true
      engine.endMessage()
    } catch (error) {
      if (!begun) {
        this.#refuse(error, 'The message cannot be read')
        return
      }
      this.#logError(error)
      engine.breakOff()
    }
  }

  /** The lock is free before the client is told, so that it may come again at once. */
  async #update(event: Ask<'update'>): Promise<void> {
    try {
      const { uids } = event
      if (uids.length > 0) await this.#store.apply([{ type: 'expunge', mailbox: this.#mailbox.id, uids }])
      this.#log('info', 'pop3.updated', { deleted: uids.length })
    } catch (error) {
      await this.#release()
      this.#logError(error)
      this.#engine.refuse('SYS/TEMP', 'Deleted messages are not removed')
      return
    }
    await this.#release()
    this.#engine.acceptUpdate()
  }

  async #release(): Promise<void> {
    const open = this.#open
    this.#open = null
    if (open === null) return
    try {
      await open.mailbox.close()
      await open.account.close()
    } catch (error) {
      this.#logError(error)
    }
  }

  get #attached(): Flow {
    if (this.#flow === null) throw new Error('attach() was not called')
    return this.#flow
  }

  get #signal(): AbortSignal {
    return this.#attached.signal
  }

  get #mailbox(): Mailbox {
    if (this.#open === null) throw new MailError('closed', 'the maildrop is not open')
    return this.#open.mailbox
  }

  /** An expected failure is told in its own words, any other in `fallback`. */
  #refuse(error: unknown, fallback: string): void {
    const { pop3, text } = replyForError(error)
    this.#logError(error)
    this.#engine.refuse(pop3, pop3 === 'SYS/TEMP' ? fallback : text)
  }

  #logError(error: unknown): void {
    this.#log('warn', 'pop3.failed', { message: error instanceof Error ? error.message : String(error) })
  }

  #log(level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>): void {
    this.#logger.log(level, event, { session: this.#id, remoteAddress: this.#remoteAddress, ...fields })
  }
}

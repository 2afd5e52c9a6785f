import type { Flow } from '../../core/driver.js'
import type { Engine } from '../../core/engine.js'
import { UsageError } from '../../core/errors.js'
import type {
  Account,
  Authenticator,
  Clock,
  Logger,
  LogLevel,
  LogValue,
  MailboxId,
  MailStore,
} from '../../interfaces/index.js'
import { silentLogger, systemClock } from '../../interfaces/index.js'
import { untagged } from '../responses.js'
import type { ImapServerEvent, ImapServerReplies } from '../server-events.js'
import { SessionEnded } from './ended.js'
import type { Selected } from './selected.js'

/** Who is at the other end. */
export interface ImapSessionContext {
  /** Unique to the session; goes into the log. */
  readonly id: string
  readonly remoteAddress: string
  /** The connection is encrypted now. */
  secure(): boolean
}

/** What a session works with. */
export interface ImapSessionOptions {
  readonly engine: ImapServerReplies & Engine<ImapServerEvent>
  readonly store: MailStore
  readonly authenticator: Authenticator
  readonly context: ImapSessionContext
  /** Silent by default. */
  readonly logger?: Logger
  readonly clock?: Clock
}

/** Messages that one step of a long command handles before others get their turn. */
export const BLOCK = 1_000

/** The state of one session: what its commands read and change. */
export class UserSession {
  readonly engine: ImapServerReplies & Engine<ImapServerEvent>
  readonly store: MailStore
  readonly authenticator: Authenticator
  readonly context: ImapSessionContext
  readonly clock: Clock
  failedLogins: number
  /** The selected mailbox, or null. */
  selected: Selected | null
  /** Called when the selected mailbox has changed. */
  onChange: () => void
  readonly #logger: Logger
  #flow: Flow | null
  #account: Account | null
  #unwatch: (() => void) | null

  constructor(options: ImapSessionOptions) {
    this.engine = options.engine
    this.store = options.store
    this.authenticator = options.authenticator
    this.context = options.context
    this.clock = options.clock ?? systemClock
    this.failedLogins = 0
    this.selected = null
    this.onChange = () => undefined
    this.#logger = options.logger ?? silentLogger
    this.#flow = null
    this.#account = null
    this.#unwatch = null
  }

  /** Throws UsageError `DETACHED` before `attach`. */
  get flow(): Flow {
    if (this.#flow === null) throw new UsageError('DETACHED', 'attach(driver) comes before the first event')
    return this.#flow
  }

  set flow(flow: Flow) {
    this.#flow = flow
  }

  get signal(): AbortSignal {
    return this.flow.signal
  }

  /** The logged-in user's account; the engine lets no command through that needs one before there is one. */
  get account(): Account {
    if (this.#account === null) throw new UsageError('STATE', 'no user has logged in')
    return this.#account
  }

  /** The selected mailbox; the engine lets no command through that needs one before there is one. */
  get mailbox(): Selected {
    if (this.selected === null) throw new UsageError('STATE', 'no mailbox is selected')
    return this.selected
  }

  log(level: LogLevel, event: string, fields: Readonly<Record<string, LogValue>>): void {
    this.#logger.log(level, event, { session: this.context.id, ...fields })
  }

  /** Opens the account of `user`. */
  async open(user: string): Promise<void> {
    const account = await this.store.open(user)
    this.#account = account
    this.#unwatch = account.watch((mailbox) => this.touch(mailbox))
  }

  /** Something has changed in that mailbox. */
  touch(mailbox: MailboxId): void {
    if (this.selected?.mailbox.id !== mailbox) return
    this.selected.changed = true
    this.onChange()
  }

  /** Lets go of the selected mailbox, where there is one. */
  async deselect(): Promise<void> {
    const { selected } = this
    this.selected = null
    await selected?.mailbox.close()
  }

  /**
   * Between two blocks of work: what is over the high-water mark goes out, and other sessions get their turn. Throws
   * SessionEnded when the connection is gone.
   */
  async pause(): Promise<void> {
    await this.drain()
    await new Promise((resolve) => setImmediate(resolve))
    if (this.signal.aborted) throw new SessionEnded()
  }

  /** Waits until the output is under the high-water mark. Throws SessionEnded when the connection is gone. */
  async drain(): Promise<void> {
    if (this.engine.outputSize > this.flow.highWaterMark) await this.flow.flush()
    if (this.signal.aborted) throw new SessionEnded()
  }

  /** Tells the changes that happened to the selected mailbox; expunges only where the command lets them be told. */
  async tell(expunges: boolean): Promise<void> {
    const { selected, engine } = this
    if (selected === null) return
    if (selected.changed) await selected.sync()
    let count = 0
    for (const response of selected.news(expunges)) {
      engine.respond(response)
      if (++count % BLOCK === 0) await this.pause()
    }
  }

  /** Ends the session after the reply to the command under way. */
  bye(text: string): void {
    if (this.engine.state === 'logout') return
    this.engine.respond(untagged('BYE', null, text))
    this.engine.enter('logout')
  }

  /** Lets go of everything; safe to call more than once. */
  async close(): Promise<void> {
    this.#unwatch?.()
    this.#unwatch = null
    const account = this.#account
    this.#account = null
    try {
      await this.deselect()
    } finally {
      await account?.close()
    }
  }
}

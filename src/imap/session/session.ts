import type { EventHandler, Flow } from '../../core/driver.js'
import { isMailError } from '../../core/errors.js'
import type { ImapServerEvent } from '../server-events.js'
import { Append } from './commands/append.js'
import { authenticate, enter } from './commands/auth.js'
import { mayTellExpunges, perform } from './dispatch.js'
import { BrokenResponse, SessionEnded } from './ended.js'
import { Idle } from './idle.js'
import type { Outcome } from './outcome.js'
import { no, ok, refusal } from './outcome.js'
import { MailboxGone } from './selected.js'
import type { ImapSessionOptions } from './user-session.js'
import { UserSession } from './user-session.js'

const serverBug: Outcome = no('Internal error', 'SERVERBUG')

/**
 * Acts on the events of one ImapServerEngine: RFC 3501 over a MailStore and an Authenticator. A failure inside a command
 * is answered with `NO [SERVERBUG]` and logged, and the session goes on; when the connection ends, however it does,
 * mailbox, account, watch and a message half received are let go.
 */
export class ImapServerSession implements EventHandler<ImapServerEvent> {
  readonly #session: UserSession
  #append: Append | null
  #idle: Idle | null
  /** An event is being acted on. */
  #busy: boolean
  #closed: Promise<void> | null

  constructor(options: ImapSessionOptions) {
    this.#session = new UserSession(options)
    this.#append = null
    this.#idle = null
    this.#busy = false
    this.#closed = null
  }

  /** Takes the driver, before it runs. */
  attach(flow: Flow): void {
    this.#session.flow = flow
    flow.signal.addEventListener('abort', () => {
      if (!this.#busy) void this.#close()
    })
  }

  handle(event: ImapServerEvent): Promise<void> | undefined {
    switch (event.type) {
      case 'appendData':
        return this.#append?.write(event.chunk)
      case 'command': {
        const { command } = event
        if (command.name === 'IDLE') return this.#act(() => this.#beginIdle())
        return this.#answer(() => perform(this.#session, command), mayTellExpunges(command))
      }
      case 'authenticate':
        return this.#act(() => this.#authenticate(event))
      case 'login':
        return this.#answer(() => enter(this.#session, event.mechanism, event.user, event.result))
      case 'append':
        return this.#act(() => this.#beginAppend(event))
      case 'appendEnd':
        return this.#answer(() => this.#endAppend())
      case 'appendAbort':
        return this.#act(() => this.#dropAppend())
      case 'idleDone':
        return this.#answer(() => this.#endIdle())
      case 'closed':
        return this.#close()
      default:
        return event satisfies never
    }
  }

  /** Works on one event; who waits for the session's end waits for this. */
  async #act(work: () => Promise<void>): Promise<void> {
    this.#busy = true
    try {
      await work()
    } finally {
      this.#busy = false
      if (this.#session.signal.aborted) await this.#close()
    }
  }

  /** Carries out what was asked, tells the news, and answers. News that cannot be told change nothing of the answer. */
  #answer(work: () => Promise<Outcome>, expunges = true): Promise<void> {
    return this.#act(async () => {
      const outcome = await this.#outcome(work)
      if (outcome === null) return
      if (this.#session.engine.state !== 'logout') {
        const told = await this.#outcome(async () => {
          await this.#session.tell(expunges)
          return outcome
        })
        if (told === null) return
      }
      this.#complete(outcome)
    })
  }

  #complete({ status, code, text }: Outcome): void {
    this.#session.engine.complete(status, code, text)
  }

  /** What `work` came to, failures included; null where nothing can be answered any more. */
  async #outcome(work: () => Promise<Outcome>): Promise<Outcome | null> {
    try {
      return await work()
    } catch (error) {
      return this.#failure(error)
    }
  }

  #failure(error: unknown): Outcome | null {
    const session = this.#session
    if (error instanceof SessionEnded) return null
    if (error instanceof BrokenResponse) {
      session.log('error', 'imap.broken', { error: String(error.cause) })
      session.engine.lost()
      return null
    }
    if (error instanceof MailboxGone) {
      session.bye('The selected mailbox was deleted')
      return no('The selected mailbox was deleted')
    }
    if (isMailError(error)) {
      session.log(error.kind === 'corrupt' ? 'error' : 'info', 'imap.refused', { error: error.message })
      return refusal(error)
    }
    session.log('error', 'imap.error', { error: String((error as Error)?.stack ?? error) })
    return serverBug
  }

  async #authenticate(event: Extract<ImapServerEvent, { readonly type: 'authenticate' }>): Promise<void> {
    this.#session.engine.answerAuth(await authenticate(this.#session, event.mechanism, event.question))
  }

  async #beginAppend(event: Extract<ImapServerEvent, { readonly type: 'append' }>): Promise<void> {
    let append: Append | null = null
    const outcome = await this.#outcome(async () => {
      const begun = await Append.begin(this.#session, event)
      if (!(begun instanceof Append)) return begun
      append = begun
      return ok('')
    })
    if (append === null) {
      if (outcome !== null) this.#complete(outcome)
      return
    }
    this.#append = append
    this.#session.engine.acceptAppend()
  }

  async #endAppend(): Promise<Outcome> {
    const append = this.#append
    this.#append = null
    if (append === null) throw new Error('the end of a message that never began')
    try {
      return await append.finish()
    } finally {
      await append.abort()
    }
  }

  async #dropAppend(): Promise<void> {
    const append = this.#append
    this.#append = null
    await append?.abort()
  }

  async #beginIdle(): Promise<void> {
    this.#idle = new Idle(this.#session, (error) => this.#idleFailed(error))
    this.#idle.begin()
  }

  /** No command is answered while IDLE lasts: after a BYE the connection is ended from here. */
  async #idleFailed(error: unknown): Promise<void> {
    this.#failure(error)
    if (this.#session.engine.state !== 'logout') return
    await this.#session.flow.flush()
    this.#session.engine.lost()
  }

  async #endIdle(): Promise<Outcome> {
    await this.#idle?.end()
    this.#idle = null
    return ok('Idle ended')
  }

  #close(): Promise<void> {
    this.#closed ??= this.#letGo()
    return this.#closed
  }

  /** Never rejects. */
  async #letGo(): Promise<void> {
    for (const step of [() => this.#endIdle(), () => this.#dropAppend(), () => this.#session.close()]) {
      try {
        await step()
      } catch (error) {
        this.#session.log('error', 'imap.close', { error: String(error) })
      }
    }
  }
}

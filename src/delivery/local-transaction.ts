import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/index.js'
import { isMailError, MailError, replyForError } from '../core/index.js'
import type {
  AbortReason,
  Body,
  CommitResult,
  EnvelopeStart,
  Logger,
  MailboxId,
  MailStore,
  Recipient,
  Reply,
  SessionContext,
  Staged,
  Transaction,
} from '../interfaces/index.js'
import { reply } from '../interfaces/index.js'
import { FactsReader, factsWithPrefix } from '../mime/index.js'
import { DeliveredToScanner } from './delivered-to-scanner.js'
import type { Router } from './router.js'
import { MOST_TARGETS } from './routing-table.js'

/** What a transaction needs of its delivery. */
export interface LocalTransactionParts {
  readonly router: Router
  readonly store: MailStore
  readonly logger: Logger
  readonly clock: Clock
  readonly maxMessageSize: number
}

/** One message on its way into the mailboxes of its recipients: all of them get it, or none does. */
export class LocalTransaction implements Transaction {
  readonly #parts: LocalTransactionParts
  readonly #envelope: EnvelopeStart
  readonly #context: SessionContext
  readonly #id: string
  /** INBOX by user, so that two recipients who are one mailbox get one copy. */
  readonly #mailboxes: Map<string, MailboxId>
  readonly #facts: FactsReader
  readonly #deliveredTo: DeliveredToScanner
  #staged: Staged | null
  #size: number
  #failure: unknown
  #aborted: boolean

  constructor(parts: LocalTransactionParts, envelope: EnvelopeStart, context: SessionContext) {
    this.#parts = parts
    this.#envelope = envelope
    this.#context = context
    // Its last twelve digits are all random, and Node draws the octets of many at once.
    this.#id = randomUUID().slice(-12).toUpperCase()
    this.#mailboxes = new Map()
    this.#facts = new FactsReader()
    this.#deliveredTo = new DeliveredToScanner()
    this.#staged = null
    this.#size = 0
    this.#failure = null
    this.#aborted = false
  }

  async recipient(recipient: Recipient): Promise<Reply | undefined> {
    try {
      const route = await this.#parts.router.route(recipient)
      if (route.type === 'foreign') return this.#foreign()
      if (route.type === 'unknown') return reply(550, '5.1.1', 'No such user here')
      const added = route.users.filter((user) => !this.#mailboxes.has(user))
      if (this.#mailboxes.size + added.length > MOST_TARGETS)
        return reply(452, '4.5.3', 'Too many recipients')
      const inboxes: (readonly [string, MailboxId])[] = []
      for (const user of added) inboxes.push([user, await this.#inbox(user)])
      for (const [user, inbox] of inboxes) this.#mailboxes.set(user, inbox)
      return undefined
    } catch (error) {
      return this.#refuse(error)
    }
  }

  async ready(): Promise<Reply | undefined> {
    try {
      const staged = await this.#parts.store.stage(this.#envelope.size ?? undefined)
      if (this.#aborted) await staged.abort()
      else this.#staged = staged
      return undefined
    } catch (error) {
      return this.#refuse(error)
    }
  }

  /** A failure is kept for `commit` to tell, and what follows is dropped: the sender may not be interrupted here. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#failure !== null || this.#staged === null) return
    this.#size += chunk.length
    if (this.#size > this.#parts.maxMessageSize) {
      return this.#fail(new MailError('tooLarge', `the message is over ${this.#parts.maxMessageSize} octets`))
    }
    this.#facts.write(chunk)
    this.#deliveredTo.write(chunk)
    try {
      const pending = this.#staged.write(chunk)
      return pending?.catch((error: unknown) => this.#fail(error))
    } catch (error) {
      return this.#fail(error)
    }
  }

  async commit(received: Uint8Array): Promise<CommitResult> {
    try {
      if (this.#failure !== null) throw this.#failure
      const staged = this.#staged
      if (staged === null) throw new MailError('unavailable', 'the message was never begun')
      const users = [...this.#mailboxes.keys()]
      const before = users.find((user) => this.#deliveredTo.has(user))
      if (before !== undefined) {
        await this.#drop()
        this.#log('warn', 'delivery.loop', { user: before })
        return { reply: reply(554, '5.4.6', 'Mail loop: the message has been delivered here before') }
      }
      this.#staged = null
      const prefix = this.#prefix(users, received)
      const body = await staged.seal(factsWithPrefix(this.#facts.end(), prefix), prefix)
      await this.#append(body)
      this.#log('info', 'delivery.delivered', { users, size: body.size })
      return { reply: reply(250, '2.0.0', `Ok: delivered as ${this.#id}`) }
    } catch (error) {
      return { reply: this.#refuse(error) }
    }
  }

  async abort(reason: AbortReason): Promise<void> {
    this.#aborted = true
    await this.#drop()
    this.#log('debug', 'delivery.aborted', { reason })
  }

  /** RFC 5321 section 4.4; and Delivered-To where it says something: a Body is shared by all who get it. */
  #prefix(users: readonly string[], received: Uint8Array): Buffer {
    const deliveredTo = users.length === 1 ? `Delivered-To: ${users[0]}\r\n` : ''
    return Buffer.concat([
      Buffer.from(`Return-Path: <${this.#envelope.reversePath}>\r\n${deliveredTo}`),
      received,
    ])
  }

  async #append(body: Body): Promise<void> {
    const internalDate = this.#parts.clock.now()
    const to = [...this.#mailboxes.values()].map((mailbox) => ({ mailbox, flags: [], internalDate }))
    try {
      await this.#parts.store.apply([{ type: 'append', body, to }])
    } finally {
      await body.discard().catch(() => undefined)
    }
  }

  async #inbox(user: string): Promise<MailboxId> {
    const account = await this.#parts.store.open(user)
    try {
      const inbox = await account.find('INBOX')
      if (inbox === null) throw new MailError('unavailable', `the account ${user} has no INBOX`)
      return inbox.id
    } finally {
      await account.close()
    }
  }

  #foreign(): Reply {
    return this.#context.user === null
      ? reply(550, '5.7.1', 'Relaying denied: not a domain of this server')
      : reply(550, '5.7.1', 'Mail to other domains cannot be sent: outbound delivery is not available')
  }

  async #fail(error: unknown): Promise<void> {
    this.#failure = error
    await this.#drop().catch(() => undefined)
  }

  async #drop(): Promise<void> {
    const staged = this.#staged
    this.#staged = null
    await staged?.abort()
  }

  #refuse(error: unknown): Reply {
    const { smtp, text } = replyForError(error)
    this.#log(isMailError(error) ? 'warn' : 'error', 'delivery.failed', {
      message: error instanceof Error ? error.message : String(error),
    })
    return reply(smtp.code, smtp.enhanced, text)
  }

  #log(
    level: 'debug' | 'info' | 'warn' | 'error',
    event: string,
    fields: Record<string, string | number | string[]>,
  ) {
    const { reversePath } = this.#envelope
    this.#parts.logger.log(level, event, { id: this.#id, session: this.#context.id, reversePath, ...fields })
  }
}

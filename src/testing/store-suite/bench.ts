import { rejects } from 'node:assert/strict'
import type { MailErrorKind } from '../../core/index.js'
import { isMailError } from '../../core/index.js'
import type {
  Account,
  Body,
  Flags,
  Mailbox,
  MailStore,
  MessageFacts,
  Op,
  Result,
  Snapshot,
} from '../../interfaces/index.js'

/** The functions of a test runner that the suite needs; vitest, jest, mocha and node:test all have them. */
export interface SuiteRunner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
}

/** The store under test. */
export interface StoreUnderTest {
  /** An empty store; the suite closes it. */
  open(): Promise<MailStore>
  /** The same store again after `close`, for one that outlives the process. */
  readonly reopen?: (closed: MailStore) => Promise<MailStore>
}

/** Facts of a plain message: enough for a store, which keeps them and does not look inside. */
export function plainFacts(size: number, subject = 'test'): MessageFacts {
  return {
    size,
    root: {
      type: 'text',
      subtype: 'plain',
      parameters: [['charset', 'us-ascii']],
      id: null,
      description: null,
      encoding: '7bit',
      md5: null,
      disposition: null,
      language: [],
      location: null,
      headerOffset: 0,
      bodyOffset: 0,
      endOffset: size,
      lines: 1,
      parts: [],
      message: null,
    },
    envelope: {
      date: null,
      subject,
      from: [{ name: null, route: null, mailbox: 'a', host: 'example.com' }],
      sender: [],
      replyTo: [],
      to: [],
      cc: [],
      bcc: [],
      inReplyTo: null,
      messageId: null,
    },
  }
}

/** Stages text or octets as one message. */
export async function stageMessage(store: MailStore, content: string | Uint8Array): Promise<Body> {
  const octets = Buffer.from(content)
  const staged = await store.stage(octets.length)
  await staged.write(octets)
  return staged.seal(plainFacts(octets.length))
}

/** Every octet of a message, or of a range of it. */
export async function readMessage(
  mailbox: Mailbox,
  uid: number,
  from?: number,
  to?: number,
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of mailbox.read(uid, from, to)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export const DATE = Date.UTC(2024, 1, 29, 12)

/** What an op of a type has as its result. */
export type ResultOf<T extends Op> = T['type'] extends 'copy' | 'move'
  ? Extract<Result, { readonly type: 'copy' | 'move' }>
  : Extract<Result, { readonly type: T['type'] }>

/** A store with one account open, and short ways to do what most tests do. */
export class StoreBench {
  readonly store: MailStore
  readonly account: Account

  constructor(store: MailStore, account: Account) {
    this.store = store
    this.account = account
  }

  async select(name: string, mode: 'read' | 'write' | 'exclusive' = 'write'): Promise<Mailbox> {
    return this.account.select(name, mode)
  }

  /** Appends `count` messages to a mailbox in one apply; their UIDs. */
  async fill(name: string, count: number, flags: Flags = []): Promise<number[]> {
    const mailbox = (await this.account.find(name))?.id ?? ''
    const body = await stageMessage(this.store, `message for ${name}\r\n`)
    const to = Array.from({ length: count }, () => ({ mailbox, flags, internalDate: DATE }))
    const result = await this.one({ type: 'append', body, to })
    return result.placed.map(({ uid }) => uid)
  }

  async one<T extends Op>(op: T): Promise<ResultOf<T>> {
    const [result] = await this.store.apply([op])
    return result as ResultOf<T>
  }

  async snapshot(name: string): Promise<Snapshot> {
    const mailbox = await this.select(name, 'read')
    const snapshot = await mailbox.snapshot()
    await mailbox.close()
    return snapshot
  }
}

/** The promise rejects with a MailError of that kind. */
export async function fails(promise: Promise<unknown>, kind: MailErrorKind): Promise<void> {
  await rejects(promise, (error) => isMailError(error) && error.kind === kind)
}

/** The whole numbers from one to another, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

/** Declares a test on an empty store. */
export type StoreTest = (title: string, body: (bench: StoreBench) => Promise<void>) => void

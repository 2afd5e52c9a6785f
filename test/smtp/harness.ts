import { Driver } from '../../src/core/index.js'
import type {
  AbortReason,
  Authenticator,
  Delivery,
  DeliveryFeatures,
  EnvelopeStart,
  Logger,
  MessageTags,
  Policy,
  Recipient,
  Reply,
  SessionContext,
  Transaction,
} from '../../src/interfaces/index.js'
import { reply } from '../../src/interfaces/index.js'
import type { SmtpServerOptions } from '../../src/smtp/index.js'
import { startSmtpSession } from '../../src/smtp/index.js'
import type { ScriptHost } from '../../src/testing/index.js'
import { MemoryDuplex, VirtualClock } from '../../src/testing/index.js'
import { everyMechanism } from '../support/auth.js'

export interface Kept {
  readonly envelope: EnvelopeStart
  readonly recipients: readonly string[]
  readonly details: readonly Recipient[]
  readonly received: string
  readonly body: string
  readonly context: SessionContext
  readonly tags: MessageTags | undefined
}

/** Keeps messages for the users alice, bob and postmaster of example.test, and remembers what was given up. */
export class TestDelivery implements Delivery {
  readonly features: DeliveryFeatures & { maxMessageSize: number }
  readonly kept: Kept[]
  readonly aborted: AbortReason[]
  begun: number

  constructor(maxMessageSize = 100_000, features: Partial<DeliveryFeatures> = {}) {
    this.features = { eightBitMime: true, smtpUtf8: false, ...features, maxMessageSize }
    this.kept = []
    this.aborted = []
    this.begun = 0
  }

  /** `sender` is who may send as alice, and as nobody else. */
  async owns({ localPart }: Recipient, user: string): Promise<boolean> {
    return localPart === user
  }

  async begin(envelope: EnvelopeStart, context: SessionContext): Promise<Transaction | Reply> {
    this.begun++
    const { kept, aborted } = this
    const recipients: string[] = []
    const details: Recipient[] = []
    const chunks: Buffer[] = []
    return {
      recipient: async (recipient) => {
        const refusal = refuse(recipient)
        if (refusal === undefined) recipients.push(recipient.address)
        if (refusal === undefined) details.push(recipient)
        return refusal
      },
      ready: async () => undefined,
      write: (chunk) => {
        chunks.push(Buffer.from(chunk))
      },
      commit: async (received, tags) => {
        const body = Buffer.concat(chunks).toString('latin1')
        const trace = Buffer.from(received).toString('latin1')
        kept.push({ envelope, recipients, details, received: trace, body, context, tags })
        if (context.service !== 'lmtp') return { reply: reply(250, '2.0.0', 'Kept') }
        return { recipients: details.map(outcome) }
      },
      abort: async (reason) => {
        aborted.push(reason)
      },
    }
  }
}

/** Takes a turn of the event loop for each piece of a message, and knows whether it was ever given two at once. */
export class SlowDelivery extends TestDelivery {
  mostAtOnce = 0
  #now = 0

  override async begin(envelope: EnvelopeStart, context: SessionContext): Promise<Transaction | Reply> {
    const transaction = await super.begin(envelope, context)
    if ('code' in transaction) return transaction
    return {
      ...transaction,
      write: async (chunk) => {
        this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#now)
        await new Promise((resolve) => setImmediate(resolve))
        await transaction.write(chunk)
        this.#now--
      },
    }
  }
}

/** In LMTP each recipient has an outcome; that of `full` is no good one. */
function outcome({ localPart }: Recipient): Reply {
  return localPart === 'full'
    ? reply(452, '4.2.2', 'Mailbox is full')
    : reply(250, '2.0.0', `Kept for ${localPart}`)
}

const literals = new Set(['[127.0.0.1]', '[ipv6:::1]'])

function refuse({ localPart, domain }: Recipient): Reply | undefined {
  const here = domain === 'example.test' || domain === 'bücher.test' || literals.has(domain) || domain === ''
  if (!here) return reply(550, '5.7.1', 'Relaying denied')
  const known = ['alice', 'bob', 'postmaster', 'a b', 'a@b', 'a"b', 'x'.repeat(64), 'full', 'jörg']
  const name = known.includes(localPart) ? localPart : localPart.toLowerCase()
  if (name === 'postmaster' || known.includes(localPart) || /^user\d+$/.test(localPart)) return undefined
  return reply(550, '5.1.1', 'No such user')
}

/** alice/secret may log in; other user names stand for what can go wrong. */
export const testAuthenticator: Authenticator = {
  mechanisms: ['PLAIN', 'LOGIN'],
  plain: async ({ user, password }) => {
    if (user === 'down') return { ok: false, failure: 'unavailable' }
    if (user === 'throttled') return { ok: false, failure: 'throttled' }
    if (user === 'broken') throw new Error('the directory is broken')
    if (user === 'alice' && password === 'secret') return { ok: true, user }
    return { ok: false, failure: 'invalid' }
  },
}

export interface TestServerOptions extends Omit<Partial<SmtpServerOptions>, 'features'> {
  /** True for `testAuthenticator`, `every` for one with every mechanism. */
  readonly auth?: boolean | 'every'
  readonly maxMessageSize?: number
  readonly features?: Partial<DeliveryFeatures>
  readonly implicitTls?: boolean
  /** The server shuts down after so many milliseconds. */
  readonly shutdownAfterMs?: number
  /** Every connection is one too many. */
  readonly overLimit?: boolean
}

export interface TestServer extends ScriptHost {
  readonly clock: VirtualClock
  readonly delivery: Delivery
  readonly drivers: Driver<{ readonly type: string }>[]
  readonly errors: unknown[]
}

function authenticatorOf(auth: TestServerOptions['auth']): Authenticator | null {
  if (auth === 'every') return everyMechanism
  return auth === true ? testAuthenticator : null
}

/** A server in memory, driven as a real one is. */
export function startServer(
  options: TestServerOptions = {},
  parts: {
    readonly delivery?: Delivery
    readonly policy?: Policy
    readonly authenticator?: Authenticator
    readonly logger?: Logger
  } = {},
): TestServer {
  const { auth, implicitTls, maxMessageSize, features, shutdownAfterMs, overLimit, ...engineOptions } =
    options
  const clock = new VirtualClock()
  const delivery = parts.delivery ?? new TestDelivery(maxMessageSize, features)
  const drivers: Driver<{ readonly type: string }>[] = []
  const errors: unknown[] = []
  let count = 0
  if (shutdownAfterMs !== undefined) {
    void clock.sleep(shutdownAfterMs).then(() => {
      for (const driver of drivers) driver.shutdown('shutdown')
    })
  }
  return {
    clock,
    delivery,
    drivers,
    errors,
    connect() {
      const [client, server] = MemoryDuplex.pair()
      const session = startSmtpSession({
        hostname: 'mx.example.test',
        ...engineOptions,
        connection: {
          id: `s${++count}`,
          remoteAddress: '192.0.2.1',
          remotePort: 50_000,
          localAddress: '192.0.2.2',
          localPort: 25,
          tls: implicitTls === true ? { version: 'TLSv1.3', cipher: 'AES', serverName: null } : null,
        },
        delivery,
        authenticator: parts.authenticator ?? authenticatorOf(auth),
        policy: parts.policy ?? null,
        ...(parts.logger === undefined ? {} : { logger: parts.logger }),
        clock,
      })
      const driver = new Driver(session.engine, server, session, { clock, onError: (e) => errors.push(e) })
      session.attach(driver)
      drivers.push(driver as unknown as Driver<{ readonly type: string }>)
      if (overLimit === true) driver.shutdown('tooManyConnections')
      void driver.run()
      return client
    },
  }
}

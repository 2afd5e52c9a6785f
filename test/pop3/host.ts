import { Driver, fromLatin1 } from '../../src/core/index.js'
import type { AuthContext, Authenticator, MailStore, PlainCredentials } from '../../src/interfaces/index.js'
import { FactsReader } from '../../src/mime/index.js'
import type { Pop3ServerOptions } from '../../src/pop3/index.js'
import { Pop3ServerEngine, Pop3ServerSession } from '../../src/pop3/index.js'
import { MemoryStore } from '../../src/storage/memory/index.js'
import { MemoryDuplex } from '../../src/testing/memory-duplex.js'
import type { ScriptHost } from '../../src/testing/run-script.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'

/** Puts a message into the user's INBOX. `text` holds one octet a character. */
export async function append(store: MailStore, user: string, text: string): Promise<void> {
  const account = await store.open(user)
  const inbox = await account.find('INBOX')
  await account.close()
  const octets = fromLatin1(text)
  const facts = new FactsReader()
  const staged = await store.stage()
  facts.write(octets)
  await staged.write(octets)
  const body = await staged.seal(facts.end())
  const to = [{ mailbox: inbox?.id as string, flags: [], internalDate: 0 }]
  await store.apply([{ type: 'append', body, to }])
}

/** Expunges the message of that UID, as an IMAP session would. */
export async function expunge(store: MailStore, user: string, uid: number): Promise<void> {
  const account = await store.open(user)
  const inbox = await account.find('INBOX')
  await account.close()
  await store.apply([{ type: 'expunge', mailbox: inbox?.id as string, uids: [uid] }])
}

/** A message of exactly that many octets. */
export function messageOf(octets: number): string {
  const header = `Subject: ${octets}\r\n\r\n`
  return `${header}${'x'.repeat(octets - header.length - 2)}\r\n`
}

/** Takes `secret` for everyone, and `down` for a failure of its own. */
export class TestAuthenticator implements Authenticator {
  readonly mechanisms: readonly string[] = ['PLAIN', 'LOGIN']
  /** What it answers to the password `garbage`. */
  garbage: unknown
  readonly asked: { credentials: PlainCredentials; context: AuthContext }[] = []

  async plain(credentials: PlainCredentials, context: AuthContext) {
    this.asked.push({ credentials, context })
    const { user, password } = credentials
    if (password === 'garbage') return this.garbage as never
    if (password === 'throw') throw new Error('this authenticator fails')
    if (password === 'down') return { ok: false, failure: 'unavailable' } as const
    if (password === 'slow') return { ok: false, failure: 'throttled' } as const
    if (password === 'off') return { ok: false, failure: 'disabled' } as const
    return password === 'secret'
      ? ({ ok: true, user } as const)
      : ({ ok: false, failure: 'invalid' } as const)
  }
}

export interface Pop3Host extends ScriptHost {
  readonly clock: VirtualClock
  readonly store: MailStore
  readonly authenticator: Authenticator
  readonly drivers: Driver<{ readonly type: string }>[]
  readonly errors: unknown[]
}

/** A POP3 server in memory. `mrose` has the two messages of RFC 1939 section 10; `dots` one that begins lines with dots. */
export async function pop3Host(
  options: Partial<Pop3ServerOptions> = {},
  store: MailStore = new MemoryStore(),
  authenticator: Authenticator = new TestAuthenticator(),
): Promise<Pop3Host> {
  const clock = new VirtualClock()
  const drivers: Driver<{ readonly type: string }>[] = []
  const errors: unknown[] = []
  await append(store, 'mrose', messageOf(120))
  await append(store, 'mrose', messageOf(200))
  await append(store, 'dots', 'Subject: dots\r\n.: x\r\n\r\n.\r\n..\r\n.a\r\nb.\r\n\r\nlast')
  return {
    clock,
    store,
    authenticator,
    drivers,
    errors,
    connect: () => {
      const [client, server] = MemoryDuplex.pair()
      const engine = new Pop3ServerEngine({
        hostname: 'mail.example.test',
        mechanisms: authenticator.mechanisms,
        startTls: true,
        allowPlaintext: true,
        ...options,
      })
      const session = new Pop3ServerSession(engine, { authenticator, store, remoteAddress: '192.0.2.1' })
      const driver = new Driver(engine, server, session, {
        clock,
        onError: (error) => void errors.push(error),
      })
      session.attach(driver)
      drivers.push(driver as unknown as Driver<{ readonly type: string }>)
      void driver.run()
      return client
    },
    close: () => store.close(),
  }
}

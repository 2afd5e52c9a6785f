import { Driver } from '../../../src/core/index.js'
import { ImapServerEngine } from '../../../src/imap/index.js'
import { ImapServerSession } from '../../../src/imap/session/index.js'
import type { Authenticator, Logger, LogValue, MailStore } from '../../../src/interfaces/index.js'
import { MemoryStore } from '../../../src/storage/memory/index.js'
import type { ScriptHost } from '../../../src/testing/index.js'
import { MemoryDuplex, VirtualClock } from '../../../src/testing/index.js'
import { everyMechanism } from '../../support/auth.js'

/** One line of the log. */
export interface Logged {
  readonly event: string
  readonly fields: Readonly<Record<string, LogValue>>
}

/** Users whose name is their password to LOGIN, and some that show how a login fails; see `everyMechanism` too. */
const testAuthenticator: Authenticator = {
  ...everyMechanism,
  plain: async ({ user, password }) => {
    if (user === 'broken') throw new Error('no directory')
    if (user === 'away') return { ok: false, failure: 'unavailable' }
    if (user === 'hasty') return { ok: false, failure: 'throttled' }
    if (user === 'barred') return { ok: false, failure: 'disabled' }
    return user === password ? { ok: true, user } : { ok: false, failure: 'invalid' }
  },
}

export interface TestHost extends ScriptHost {
  readonly store: MailStore
  readonly clock: VirtualClock
  readonly logged: Logged[]
}

/** A server over one store (a new MemoryStore by default) that any number of clients may connect to. */
export function imapHost(
  store: MailStore = new MemoryStore(),
  authenticator: Authenticator = testAuthenticator,
): TestHost {
  const clock = new VirtualClock()
  const logged: Logged[] = []
  const logger: Logger = { log: (_level, event, fields) => void logged.push({ event, fields }) }
  let connections = 0
  return {
    store,
    clock,
    logged,
    connect: () => {
      const [client, server] = MemoryDuplex.pair()
      const mechanisms = authenticator.mechanisms
      const engine = new ImapServerEngine({
        hostname: 'mail.test',
        secure: true,
        mechanisms,
        allowPlaintext: false,
        startTls: false,
      })
      const context = { id: `s${++connections}`, remoteAddress: '192.0.2.1', secure: () => true }
      const session = new ImapServerSession({ engine, store, authenticator, context, logger, clock })
      const driver = new Driver(engine, server, session, { clock })
      session.attach(driver)
      void driver.run()
      return client
    },
    close: () => store.close(),
  }
}

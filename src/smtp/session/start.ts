import { systemClock } from '../../core/clock.js'
import { UsageError } from '../../core/errors.js'
import { describeMechanism } from '../../sasl/index.js'
import type { SmtpServerOptions } from '../server/index.js'
import { SmtpServerEngine } from '../server/index.js'
import type { SmtpServerSessionOptions } from './session.js'
import { SmtpServerSession } from './session.js'

/** Options of engine and session together; what the engine offers follows from what is plugged in. */
export interface SmtpServiceOptions
  extends Omit<SmtpServerOptions, 'mechanisms' | 'eightBitMime' | 'secure'>,
    Omit<SmtpServerSessionOptions, 'engine'> {}

/**
 * A session with its engine: SIZE and 8BITMIME as the delivery's features say (`maxMessageSize` can only lower them),
 * AUTH with the authenticator's mechanisms, secure where the connection has TLS. UsageError `OPTION` where submission
 * has nobody to log anyone in.
 */
export function startSmtpSession(options: SmtpServiceOptions): SmtpServerSession {
  const { connection, delivery, authenticator, policy, logger, clock, ...engineOptions } = options
  const { features } = delivery
  const mechanisms = (authenticator?.mechanisms ?? []).filter((name) => describeMechanism(name) !== undefined)
  const requireAuth = options.requireAuth ?? options.service === 'submission'
  if (requireAuth && mechanisms.length === 0) {
    throw new UsageError('OPTION', 'authentication is required and no authenticator offers a mechanism')
  }
  const engine = new SmtpServerEngine({
    ...engineOptions,
    maxMessageSize: Math.min(options.maxMessageSize ?? Number.POSITIVE_INFINITY, features.maxMessageSize),
    eightBitMime: features.eightBitMime,
    mechanisms,
    secure: connection.tls !== null,
  })
  return new SmtpServerSession({
    engine,
    connection,
    delivery,
    authenticator: authenticator ?? null,
    policy: policy ?? null,
    clock: clock ?? systemClock,
    ...(logger === undefined ? {} : { logger }),
  })
}

import { systemClock } from '../../core/clock.js'
import { UsageError } from '../../core/errors.js'
import { describeMechanism } from '../../sasl/index.js'
import type { SmtpServerOptions } from '../server/index.js'
import { SmtpServerEngine } from '../server/index.js'
import type { SmtpServerSessionOptions } from './session.js'
import { SmtpServerSession } from './session.js'

/** Options of engine and session together; what the engine offers follows from what is plugged in. */
export interface SmtpServiceOptions
  extends Omit<SmtpServerOptions, 'mechanisms' | 'features' | 'verbs' | 'secure'>,
    Omit<SmtpServerSessionOptions, 'engine'> {}

/**
 * A session with its engine: the extensions that the delivery's features name (`maxMessageSize` can only lower SIZE),
 * VRFY, EXPN and ETRN where it has the method for them, AUTH with the authenticator's mechanisms, secure where the
 * connection has TLS. UsageError `OPTION` where submission has nobody to log anyone in.
 */
export function startSmtpSession(options: SmtpServiceOptions): SmtpServerSession {
  const {
    connection,
    delivery,
    authenticator,
    policy,
    logger,
    clock,
    checkSender,
    mendHeader,
    ...engineOptions
  } = options
  const { maxMessageSize, futureRelease, ...features } = delivery.features
  const now = (clock ?? systemClock).now()
  const mechanisms = (authenticator?.mechanisms ?? []).filter((name) => describeMechanism(name) !== undefined)
  const requireAuth = options.requireAuth ?? options.service === 'submission'
  if (requireAuth && mechanisms.length === 0) {
    throw new UsageError('OPTION', 'authentication is required and no authenticator offers a mechanism')
  }
  const engine = new SmtpServerEngine({
    ...engineOptions,
    maxMessageSize: Math.min(options.maxMessageSize ?? Number.POSITIVE_INFINITY, maxMessageSize),
    features:
      futureRelease === undefined
        ? features
        : {
            ...features,
            futureRelease: { ...futureRelease, until: now + futureRelease.maximumSeconds * 1000 },
          },
    verbs: [
      ...(delivery.verify === undefined ? [] : (['VRFY'] as const)),
      ...(delivery.expand === undefined ? [] : (['EXPN'] as const)),
      ...(delivery.startQueue === undefined ? [] : (['ETRN'] as const)),
    ],
    mechanisms,
    secure: connection.tls !== null,
  })
  return new SmtpServerSession({
    engine,
    connection,
    delivery,
    authenticator: authenticator ?? null,
    policy: policy ?? null,
    checkSender: checkSender ?? true,
    mendHeader: mendHeader ?? true,
    clock: clock ?? systemClock,
    ...(logger === undefined ? {} : { logger }),
  })
}

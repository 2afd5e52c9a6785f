import { systemClock } from '../../core/clock.js'
import { UsageError } from '../../core/errors.js'
import { usableMechanisms } from '../../sasl/index.js'
import type { ConnectionOption, ResolvedSmtpServerOptions, SmtpServerOptions } from '../server/index.js'
import { changeOptions, resolveSmtpServerOptions, SmtpServerEngine } from '../server/index.js'
import type { SmtpConnection } from './context.js'
import type { SmtpServerSessionOptions } from './session.js'
import { SmtpServerSession } from './session.js'

/** Options of engine and session together; what the engine offers follows from what is plugged in. */
export interface SmtpServiceOptions
  extends Omit<SmtpServerOptions, 'mechanisms' | 'features' | 'verbs' | 'secure'>,
    Omit<SmtpServerSessionOptions, 'engine'> {}

/** What may differ from one connection of a service to the next. */
export type SmtpConnectionOptions = Pick<SmtpServerOptions, Exclude<ConnectionOption, 'secure'>>

/**
 * What all sessions of a listener share, looked at once: the extensions that the delivery's features name
 * (`maxMessageSize` can only lower SIZE), VRFY, EXPN and ETRN where it has the method for them, AUTH with those of the
 * authenticator's mechanisms that it has the method for. UsageError `OPTION` or `LIMIT` for what cannot work, such as
 * submission with nobody to log anyone in.
 */
export class SmtpService {
  readonly #parts: Omit<SmtpServerSessionOptions, 'engine' | 'connection'>
  readonly #options: ResolvedSmtpServerOptions
  /** Those of the last connection: the next one is most often of its kind. */
  #latest: ResolvedSmtpServerOptions

  /** `secure` where connections come with TLS. */
  constructor(options: Omit<SmtpServiceOptions, 'connection'> & { readonly secure?: boolean }) {
    const { delivery, authenticator, policy, logger, clock, checkSender, mendHeader, ...rest } = options
    const { maxMessageSize, futureRelease, ...features } = delivery.features
    const mechanisms = authenticator ? usableMechanisms(authenticator) : []
    const requireAuth = options.requireAuth ?? options.service === 'submission'
    if (requireAuth && mechanisms.length === 0) {
      throw new UsageError('OPTION', 'authentication is required and no authenticator offers a mechanism')
    }
    this.#parts = {
      delivery,
      authenticator: authenticator ?? null,
      policy: policy ?? null,
      checkSender: checkSender ?? true,
      mendHeader: mendHeader ?? true,
      clock: clock ?? systemClock,
      ...(logger === undefined ? {} : { logger }),
    }
    this.#options = resolveSmtpServerOptions({
      ...rest,
      maxMessageSize: Math.min(options.maxMessageSize ?? Number.POSITIVE_INFINITY, maxMessageSize),
      features:
        futureRelease === undefined ? features : { ...features, futureRelease: this.#hold(futureRelease) },
      verbs: [
        ...(delivery.verify === undefined ? [] : (['VRFY'] as const)),
        ...(delivery.expand === undefined ? [] : (['EXPN'] as const)),
        ...(delivery.startQueue === undefined ? [] : (['ETRN'] as const)),
      ],
      mechanisms,
    })
    this.#latest = this.#options
  }

  /** A session with its engine on a connection; secure where that has TLS. */
  start(connection: SmtpConnection, own: SmtpConnectionOptions = {}): SmtpServerSession {
    const { xclient, xforward, allowPlaintext, wireLog, features } = this.#options
    const held = features.futureRelease
    this.#latest = changeOptions(this.#latest, {
      secure: connection.tls !== null,
      xclient: own.xclient ?? xclient,
      xforward: own.xforward ?? xforward,
      allowPlaintext: own.allowPlaintext ?? allowPlaintext,
      wireLog: own.wireLog ?? wireLog,
      features: held === null ? features : { ...features, futureRelease: this.#hold(held) },
    })
    const engine = new SmtpServerEngine(this.#latest)
    return new SmtpServerSession({ engine, connection, ...this.#parts })
  }

  /** An engine has no clock, so it is told until when a message may be held. */
  #hold({ maximumSeconds }: { readonly maximumSeconds: number }) {
    return { maximumSeconds, until: (this.#parts.clock ?? systemClock).now() + maximumSeconds * 1000 }
  }
}

/** The only session of its kind: an `SmtpService` with one connection. UsageErrors as of that. */
export function startSmtpSession(options: SmtpServiceOptions): SmtpServerSession {
  const { connection, ...service } = options
  return new SmtpService({ ...service, secure: connection.tls !== null }).start(connection)
}

import type { Clock } from '../core/index.js'
import { canonicalAddress, systemClock } from '../core/index.js'
import type {
  AuthContext,
  Authenticator,
  AuthFailure,
  AuthRefusal,
  AuthResult,
  Logger,
  PlainCredentials,
  ScramAttempt,
  ScramCredentials,
} from '../interfaces/index.js'
import { silentLogger } from '../interfaces/index.js'
import type { UserDirectory, UserRecord } from './directory.js'
import type { PasswordHasher, Verdict } from './password.js'
import { parsePasswordHash } from './password-hash.js'
import { ScramSecret } from './scram-secret.js'
import type { ThrottleLimits } from './throttle.js'
import { LoginThrottle } from './throttle.js'
import { VerifiedCache } from './verified-cache.js'

export interface DirectoryAuthenticatorOptions {
  readonly directory: UserDirectory
  readonly hasher: PasswordHasher
  readonly clock?: Clock
  readonly logger?: Logger
  readonly throttle?: Partial<ThrottleLimits>
  /** Milliseconds that a verified password is remembered in memory; 300,000 by default, 0 for not at all. */
  readonly cacheMs?: number
  /** Where one directory is served by more than one process, or for long, the same in all of them; see `ScramSecret`. */
  readonly scramSecret?: ScramSecret
}

/** Verified passwords remembered at once. */
const CACHE_ENTRIES = 10_000

/** One who wants to log in. */
interface Attempt {
  /** The address, null for a name that cannot be one. */
  readonly user: string | null
  readonly authorizationId: string
  readonly context: AuthContext
}

/**
 * Checks logins against a directory. A user logs in with the full address, in any case. A stranger learns nothing: an
 * unknown user costs the same time and gets the same answer as a wrong password, failures make later attempts slow and
 * in the end refused, and no more than the hasher's bound of checks runs at once.
 */
export class DirectoryAuthenticator implements Authenticator {
  readonly mechanisms: readonly string[]
  readonly #directory: UserDirectory
  readonly #hasher: PasswordHasher
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #throttle: LoginThrottle
  readonly #verified: VerifiedCache
  readonly #scramSecret: ScramSecret

  constructor(options: DirectoryAuthenticatorOptions) {
    this.mechanisms = ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']
    this.#directory = options.directory
    this.#hasher = options.hasher
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#throttle = new LoginThrottle(this.#clock, options.throttle)
    this.#verified = new VerifiedCache(this.#clock, options.cacheMs ?? 300_000, CACHE_ENTRIES)
    this.#scramSecret = options.scramSecret ?? new ScramSecret()
  }

  plain(credentials: PlainCredentials, context: AuthContext): Promise<AuthResult> {
    const { password, authorizationId } = credentials
    const user = canonicalAddress(credentials.user)
    return this.#decide({ user, authorizationId, context }, (record, mayProceed) =>
      this.#verify(record, password, mayProceed),
    )
  }

  /** The proof counts as a password does, when it has come: until then nothing is slow, and nothing has failed. */
  async scram(credentials: ScramCredentials, context: AuthContext): Promise<ScramAttempt | AuthRefusal> {
    const { authorizationId } = credentials
    const user = canonicalAddress(credentials.user)
    if (this.#throttle.isBlocked(context.remoteAddress)) return this.#refuse('throttled', user, context)
    try {
      const record = await this.#find(user)
      const passwordHash = record?.passwordHash ?? null
      const { scramIterations } = this.#hasher.limits
      const invented = this.#scramSecret.keysOfNobody(user ?? credentials.user, scramIterations)
      const keys = passwordHash === null ? invented : parsePasswordHash(passwordHash)?.scram
      if (keys === undefined) return this.#refuse('unavailable', user, context)
      // Since then the password may have changed.
      const verdict = (now: UserRecord | null, proved: boolean): Verdict =>
        proved && passwordHash !== null && now?.passwordHash === passwordHash ? 'ok' : 'wrong'
      return {
        keys,
        finish: (proved) =>
          this.#decide({ user, authorizationId, context }, async (now) => verdict(now, proved)),
      }
    } catch (error) {
      return this.#unavailable(error, context)
    }
  }

  /** What an attempt comes to by the verdict of `check`, which is asked once those before it have had their effect. */
  async #decide(
    attempt: Attempt,
    check: (record: UserRecord | null, mayProceed: () => boolean) => Verdict | Promise<Verdict>,
  ): Promise<AuthResult> {
    const { user, context } = attempt
    const { remoteAddress, signal } = context
    const mayProceed = (): boolean => !this.#throttle.isBlocked(remoteAddress)
    if (!mayProceed()) return this.#refuse('throttled', user, context)
    try {
      const record = await this.#find(user)
      const delay = this.#throttle.delay(remoteAddress, user)
      if (delay > 0) await this.#clock.sleep(delay, signal)
      const verdict = mayProceed() ? await check(record, mayProceed) : 'refused'
      const failure = this.#failureOf(verdict, record, attempt)
      if (failure !== null || record === null) return this.#refuse(failure ?? 'invalid', user, context)
      this.#throttle.succeeded(record.address)
      this.#logger.log('info', 'auth.ok', described(record.address, context))
      return { ok: true, user: record.address }
    } catch (error) {
      return this.#unavailable(error, context)
    }
  }

  async #find(user: string | null): Promise<UserRecord | null> {
    return user === null ? null : this.#directory.find(user)
  }

  async #verify(record: UserRecord | null, password: string, mayProceed: () => boolean): Promise<Verdict> {
    if (record === null) return this.#hasher.verify(password, null, mayProceed)
    const { passwordHash, address } = record
    if (this.#verified.has(passwordHash, address, password)) return 'ok'
    const verdict = await this.#hasher.verify(password, passwordHash, mayProceed)
    if (verdict === 'ok') this.#verified.add(passwordHash, address, password)
    return verdict
  }

  /** Null when the record's user may come in. */
  #failureOf(
    verdict: Verdict,
    record: UserRecord | null,
    { user, authorizationId, context }: Attempt,
  ): AuthFailure | null {
    switch (verdict) {
      case 'unavailable':
        return 'unavailable'
      case 'refused':
        return 'throttled'
      case 'wrong':
        this.#throttle.failed(context.remoteAddress, user)
        return 'invalid'
      case 'ok':
        break
    }
    if (record === null) return 'invalid'
    if (record.disabled) return 'disabled'
    return authorizationId === '' || canonicalAddress(authorizationId) === record.address ? null : 'invalid'
  }

  #refuse(failure: AuthFailure, user: string | null, context: AuthContext): AuthRefusal {
    this.#logger.log('warn', 'auth.failed', { ...described(user ?? '', context), failure })
    return { ok: false, failure }
  }

  /** That the connection is gone is no failure of ours. */
  #unavailable(error: unknown, { signal }: AuthContext): AuthRefusal {
    const message = error instanceof Error ? error.message : String(error)
    if (!signal.aborted) this.#logger.log('error', 'auth.unavailable', { message })
    return { ok: false, failure: 'unavailable' }
  }
}

function described(user: string, context: AuthContext): Record<string, string | boolean> {
  const { protocol, mechanism, remoteAddress, secure } = context
  return { user, protocol, mechanism, remoteAddress, secure }
}

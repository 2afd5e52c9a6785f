import type { Clock } from '../core/index.js'
import { canonicalAddress, systemClock } from '../core/index.js'
import type {
  AuthContext,
  Authenticator,
  AuthFailure,
  AuthResult,
  Logger,
  PlainCredentials,
} from '../interfaces/index.js'
import { silentLogger } from '../interfaces/index.js'
import type { UserDirectory, UserRecord } from './directory.js'
import type { PasswordHasher } from './password.js'
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
}

/** Verified passwords remembered at once. */
const CACHE_ENTRIES = 10_000

/**
 * Checks passwords against a directory. A user logs in with the full address, in any case. A stranger learns
 * nothing: an unknown user costs the same time and gets the same answer as a wrong password, failures make later
 * attempts slow and in the end refused, and no more than the hasher's bound of checks runs at once.
 */
export class DirectoryAuthenticator implements Authenticator {
  readonly mechanisms: readonly string[]
  readonly #directory: UserDirectory
  readonly #hasher: PasswordHasher
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #throttle: LoginThrottle
  readonly #verified: VerifiedCache

  constructor(options: DirectoryAuthenticatorOptions) {
    this.mechanisms = ['PLAIN', 'LOGIN']
    this.#directory = options.directory
    this.#hasher = options.hasher
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#throttle = new LoginThrottle(this.#clock, options.throttle)
    this.#verified = new VerifiedCache(this.#clock, options.cacheMs ?? 300_000, CACHE_ENTRIES)
  }

  async plain(credentials: PlainCredentials, context: AuthContext): Promise<AuthResult> {
    const { remoteAddress } = context
    const user = canonicalAddress(credentials.user)
    if (this.#throttle.isBlocked(remoteAddress)) return this.#refuse('throttled', user, context)
    try {
      const record = user === null ? null : await this.#directory.find(user)
      const delay = this.#throttle.delay(remoteAddress, user)
      if (delay > 0) await this.#clock.sleep(delay, context.signal)
      const failure = await this.#check(record, credentials, remoteAddress)
      if (failure !== null || record === null) return this.#refuse(failure ?? 'invalid', user, context)
      this.#throttle.succeeded(record.address)
      this.#logger.log('info', 'auth.ok', described(record.address, context))
      return { ok: true, user: record.address }
    } catch (error) {
      if (!context.signal.aborted) this.#report(error)
      return { ok: false, failure: 'unavailable' }
    }
  }

  /** Null when the record's user may come in. */
  async #check(
    record: UserRecord | null,
    credentials: PlainCredentials,
    remoteAddress: string,
  ): Promise<AuthFailure | null> {
    const { password, authorizationId } = credentials
    const mayProceed = (): boolean => !this.#throttle.isBlocked(remoteAddress)
    if (!mayProceed()) return 'throttled'
    const known = record !== null && this.#verified.has(record.passwordHash, record.address, password)
    const verdict = known
      ? 'ok'
      : await this.#hasher.verify(password, record === null ? null : record.passwordHash, mayProceed)
    switch (verdict) {
      case 'unavailable':
        return 'unavailable'
      case 'refused':
        return 'throttled'
      case 'wrong':
        this.#throttle.failed(
          remoteAddress,
          record === null ? canonicalAddress(credentials.user) : record.address,
        )
        return 'invalid'
      case 'ok':
        break
    }
    if (record === null) return 'invalid'
    this.#verified.add(record.passwordHash, record.address, password)
    if (record.disabled) return 'disabled'
    return authorizationId === '' || canonicalAddress(authorizationId) === record.address ? null : 'invalid'
  }

  #refuse(failure: AuthFailure, user: string | null, context: AuthContext): AuthResult {
    this.#logger.log('warn', 'auth.failed', { ...described(user ?? '', context), failure })
    return { ok: false, failure }
  }

  #report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#logger.log('error', 'auth.unavailable', { message })
  }
}

function described(user: string, context: AuthContext): Record<string, string | boolean> {
  const { protocol, mechanism, remoteAddress, secure } = context
  return { user, protocol, mechanism, remoteAddress, secure }
}

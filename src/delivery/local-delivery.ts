import type { Clock } from '../core/index.js'
import { canonicalAddress, systemClock, UsageError } from '../core/index.js'
import type {
  Delivery,
  DeliveryFeatures,
  EnvelopeStart,
  Logger,
  MailStore,
  Recipient,
  Reply,
  SessionContext,
  Transaction,
} from '../interfaces/index.js'
import { reply, silentLogger } from '../interfaces/index.js'
import { LocalTransaction } from './local-transaction.js'
import type { UserLookup } from './router.js'
import { Router } from './router.js'
import type { RoutingOptions } from './routing-table.js'

export interface LocalDeliveryOptions {
  readonly routing: RoutingOptions
  readonly users: UserLookup
  readonly store: MailStore
  /** Octets; 50 MB by default, and never more than the store takes. */
  readonly maxMessageSize?: number
  readonly logger?: Logger
  readonly clock?: Clock
}

const DEFAULT_SIZE = 50 * 1024 * 1024

/**
 * Puts messages into the INBOX of local users and nowhere else: what is not addressed to a user of a local domain is
 * refused at RCPT, from whomever it comes.
 */
export class LocalDelivery implements Delivery {
  readonly features: DeliveryFeatures
  readonly #router: Router
  readonly #store: MailStore
  readonly #logger: Logger
  readonly #clock: Clock

  /** Throws UsageError `ROUTING` for routing options that cannot be. */
  constructor(options: LocalDeliveryOptions) {
    this.#store = options.store
    this.features = {
      maxMessageSize: Math.min(options.maxMessageSize ?? DEFAULT_SIZE, options.store.features.maxMessageSize),
      eightBitMime: true,
      smtpUtf8: true,
    }
    this.#router = new Router(options.routing, options.users)
    this.#logger = options.logger ?? silentLogger
    this.#clock = options.clock ?? systemClock
  }

  /** Throws UsageError `ENVELOPE` for a reverse-path with a line end in it: it is written into the message. */
  async begin(envelope: EnvelopeStart, context: SessionContext): Promise<Transaction | Reply> {
    if (/[\r\n\0]/.test(envelope.reversePath)) {
      throw new UsageError('ENVELOPE', 'a reverse-path has no line ends and no NUL')
    }
    const { maxMessageSize } = this.features
    if (envelope.size !== null && envelope.size > maxMessageSize) {
      return reply(552, '5.3.4', `Message is too large; the limit is ${maxMessageSize} octets`)
    }
    return new LocalTransaction(
      { router: this.#router, store: this.#store, logger: this.#logger, clock: this.#clock, maxMessageSize },
      envelope,
      context,
    )
  }

  /** See `Router.owns`. */
  owns(sender: Recipient, user: string): Promise<boolean> {
    return this.#router.owns(sender, canonicalAddress(user) ?? user)
  }
}

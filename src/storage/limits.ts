import type { LimitRule, Limits } from '../core/index.js'
import { resolveLimits } from '../core/index.js'

const rules = {
  /** Octets of one message as it is written; what `seal` puts before it is not counted. MailError `tooLarge`. */
  messageSize: { default: 50 * 1024 * 1024, min: 1, max: 4 * 1024 ** 3 },
  /** Mailboxes of one account, levels above others included. MailError `limit`. */
  mailboxes: { default: 5_000, min: 8, max: 1_000_000 },
  /** Levels of a mailbox name. MailError `invalidName`. */
  nameDepth: { default: 10, min: 1, max: 100 },
  /** Octets of a mailbox name in UTF-8. MailError `invalidName`. */
  nameOctets: { default: 255, min: 16, max: 4_096 },
  /** Subscriptions of one account. MailError `limit`. */
  subscriptions: { default: 10_000, min: 8, max: 1_000_000 },
  /** Different keywords ever used in one mailbox. MailError `limit`. */
  keywords: { default: 1_000, min: 8, max: 10_000 },
  /** Expunged UIDs (in the SQL store: runs of them) kept for a mailbox; older ones make `changes` say `expired`. */
  tombstones: { default: 100_000, min: 1, max: 10_000_000 },
} as const satisfies Readonly<Record<string, LimitRule>>

/** The limits of a store; each says what passing it does. */
export type StoreLimits = Limits<typeof rules>

/** The defaults with what the host gave. Throws UsageError `LIMIT`. */
export function storeLimits(given: Partial<StoreLimits> = {}): StoreLimits {
  return resolveLimits(rules, given)
}

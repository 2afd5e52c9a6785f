/** Octets of a message. */
export const MESSAGE_OCTETS = 32 * 1024 * 1024
/** Mailboxes, and subscriptions, of one user. */
export const MAILBOXES = 1000
/** Levels and octets of a mailbox name. */
export const NAME_LEVELS = 10
export const NAME_OCTETS = 255
/** Keywords of one mailbox, and octets of each. */
export const KEYWORDS = 1000
export const KEYWORD_OCTETS = 255
/** Expunged messages that are remembered, for each mailbox. */
export const TOMBSTONES = 10_000
/** Sets of flags of which each mailbox keeps one array. */
export const FLAG_SETS = 10_000

/** The other side broke the protocol. Reported as an event or a rejected promise, never thrown by an engine. */
export class PeerError extends Error {
  /** Stable; test this, not the class. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'PeerError'
    this.code = code
  }
}

/** The host misused the interface: a value that cannot be sent, a call out of turn. Thrown at once. */
export class UsageError extends Error {
  /** Stable; test this, not the class. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'UsageError'
    this.code = code
  }
}

/**
 * What can go wrong in a store or a delivery for reasons that belong to mail.
 *
 * - `notFound`: no such mailbox; `exists`: there is one already; `invalidName`: not a name this store takes;
 *   `hasChildren`: the mailbox has inferiors and cannot be removed; `forbidden`: not for this user.
 * - `inUse`: another session holds the exclusive lock, or another process the database.
 * - `overQuota`: the user's share is full; `diskFull`: the machine's is; `tooLarge`: one message is too large.
 * - `unavailable`: try again later; `corrupt`: stored data fails its checks; `limit`: a configured limit is reached.
 * - `expunged`: the message was there and is not any more. `closed`: the store is shut.
 */
export type MailErrorKind =
  | 'notFound'
  | 'exists'
  | 'invalidName'
  | 'hasChildren'
  | 'forbidden'
  | 'inUse'
  | 'overQuota'
  | 'diskFull'
  | 'tooLarge'
  | 'unavailable'
  | 'corrupt'
  | 'limit'
  | 'expunged'
  | 'closed'

/** An expected failure. `kind` decides what the peer is told; `message` goes to the log and never to the peer. */
export class MailError extends Error {
  /** Stable; test this, not the class. */
  readonly code: 'MAIL'
  readonly kind: MailErrorKind

  constructor(kind: MailErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MailError'
    this.code = 'MAIL'
    this.kind = kind
  }
}

/** What each protocol says of a MailError. */
export interface ErrorReply {
  readonly smtp: { readonly code: number; readonly enhanced: string }
  /** The response code of RFC 5530 or RFC 3501 section 7.1, without brackets, or null. */
  readonly imap: string | null
  /** The response code of RFC 2449 section 8 or RFC 3206, without brackets, or null. */
  readonly pop3: string | null
  readonly text: string
}

const replies: Readonly<Record<MailErrorKind, ErrorReply>> = {
  notFound: {
    smtp: { code: 550, enhanced: '5.1.1' },
    imap: 'NONEXISTENT',
    pop3: null,
    text: 'No such mailbox',
  },
  exists: {
    smtp: { code: 550, enhanced: '5.2.0' },
    imap: 'ALREADYEXISTS',
    pop3: null,
    text: 'Mailbox exists already',
  },
  invalidName: {
    smtp: { code: 553, enhanced: '5.1.3' },
    imap: 'CANNOT',
    pop3: null,
    text: 'Invalid mailbox name',
  },
  hasChildren: {
    smtp: { code: 550, enhanced: '5.2.0' },
    imap: 'CANNOT',
    pop3: null,
    text: 'Mailbox has inferior names',
  },
  forbidden: {
    smtp: { code: 550, enhanced: '5.7.1' },
    imap: 'NOPERM',
    pop3: 'SYS/PERM',
    text: 'Not allowed',
  },
  inUse: {
    smtp: { code: 450, enhanced: '4.2.1' },
    imap: 'INUSE',
    pop3: 'IN-USE',
    text: 'Mailbox is in use by another session',
  },
  overQuota: {
    smtp: { code: 452, enhanced: '4.2.2' },
    imap: 'OVERQUOTA',
    pop3: null,
    text: 'Mailbox is full',
  },
  diskFull: {
    smtp: { code: 452, enhanced: '4.3.1' },
    imap: 'UNAVAILABLE',
    pop3: 'SYS/TEMP',
    text: 'Insufficient system storage',
  },
  tooLarge: {
    smtp: { code: 552, enhanced: '5.3.4' },
    imap: 'TOOBIG',
    pop3: null,
    text: 'Message is too large',
  },
  unavailable: {
    smtp: { code: 451, enhanced: '4.3.0' },
    imap: 'UNAVAILABLE',
    pop3: 'SYS/TEMP',
    text: 'Temporary failure, try again later',
  },
  corrupt: {
    smtp: { code: 451, enhanced: '4.3.0' },
    imap: 'SERVERBUG',
    pop3: 'SYS/PERM',
    text: 'Stored data is damaged',
  },
  limit: { smtp: { code: 452, enhanced: '4.5.3' }, imap: 'LIMIT', pop3: null, text: 'Limit reached' },
  expunged: {
    smtp: { code: 451, enhanced: '4.3.0' },
    imap: 'EXPUNGEISSUED',
    pop3: null,
    text: 'Message is gone',
  },
  closed: {
    smtp: { code: 421, enhanced: '4.3.2' },
    imap: 'UNAVAILABLE',
    pop3: 'SYS/TEMP',
    text: 'Service is shutting down',
  },
}

/** True for a MailError, from whichever copy of this package it came. */
export function isMailError(error: unknown): error is MailError {
  return error instanceof Error && (error as { code?: unknown }).code === 'MAIL'
}

/** The reply for anything a store or a delivery rejected with; an unexpected error is told as `unavailable`. */
export function replyForError(error: unknown): ErrorReply {
  return isMailError(error) ? (replies[error.kind] ?? replies.unavailable) : replies.unavailable
}

/**
 * Where a session stands between commands. `start`: no HELO or EHLO yet; `helo`, `ready`: after HELO, after EHLO;
 * `mail`: after MAIL; `rcpt`: at least one recipient is accepted; `chunks`: after a BDAT that was not the last;
 * `failed`: after one that failed.
 */
export type SmtpServerState = 'start' | 'helo' | 'ready' | 'mail' | 'rcpt' | 'chunks' | 'failed'

/** For each state null, or the text of the 503. */
export type Sequence = Readonly<Record<SmtpServerState, string | null>>

const always: Sequence = {
  start: null,
  helo: null,
  ready: null,
  mail: null,
  rcpt: null,
  chunks: null,
  failed: null,
}
const ehloFirst = 'Send EHLO first'
const mailFirst = 'Send MAIL first'
const inTransaction = 'Not during a mail transaction'
const chunksFirst = 'The message is not complete: send its last chunk, or RSET'
const resetFirst = 'A chunk has failed: send RSET first'
const betweenChunks = { chunks: chunksFirst, failed: resetFirst } as const
const outsideTransaction: Sequence = {
  start: ehloFirst,
  helo: ehloFirst,
  ready: null,
  mail: inTransaction,
  rcpt: inTransaction,
  chunks: inTransaction,
  failed: inTransaction,
}

/** The whole machine: which command may come in which state (null), or the text of its 503 (RFC 5321 section 4.1.4). */
export const sequence = {
  HELO: always,
  EHLO: always,
  LHLO: always,
  MAIL: {
    start: 'Send HELO or EHLO first',
    helo: null,
    ready: null,
    mail: 'The sender is given already',
    rcpt: 'The sender is given already',
    ...betweenChunks,
  },
  RCPT: { start: mailFirst, helo: mailFirst, ready: mailFirst, mail: null, rcpt: null, ...betweenChunks },
  DATA: { start: mailFirst, helo: mailFirst, ready: mailFirst, mail: null, rcpt: null, ...betweenChunks },
  RSET: always,
  NOOP: always,
  QUIT: always,
  HELP: always,
  VRFY: always,
  STARTTLS: outsideTransaction,
  AUTH: outsideTransaction,
  EXPN: always,
  ETRN: outsideTransaction,
  TURN: always,
  SEND: always,
  SOML: always,
  SAML: always,
  BDAT: {
    start: mailFirst,
    helo: mailFirst,
    ready: mailFirst,
    mail: null,
    rcpt: null,
    chunks: null,
    failed: resetFirst,
  },
  BURL: always,
  XCLIENT: {
    ...always,
    mail: inTransaction,
    rcpt: inTransaction,
    chunks: inTransaction,
    failed: inTransaction,
  },
  XFORWARD: {
    ...always,
    mail: inTransaction,
    rcpt: inTransaction,
    chunks: inTransaction,
    failed: inTransaction,
  },
} as const satisfies Readonly<Record<string, Sequence>>

export type SmtpCommandName = keyof typeof sequence

/** What may be said while TLS is required and not there (RFC 3207 section 4). AUTH has its own answer, 538. */
export const beforeTls: ReadonlySet<SmtpCommandName> = new Set([
  'NOOP',
  'EHLO',
  'LHLO',
  'STARTTLS',
  'QUIT',
  'AUTH',
  'XCLIENT',
])

/** What needs AUTH first where AUTH is required (RFC 4954 section 6, code 530). */
export const afterAuth: ReadonlySet<SmtpCommandName> = new Set(['MAIL', 'VRFY', 'EXPN', 'ETRN'])

/** What counts as junk until a message is accepted. */
export const junk: ReadonlySet<SmtpCommandName> = new Set([
  'NOOP',
  'RSET',
  'VRFY',
  'HELP',
  'EXPN',
  'HELO',
  'EHLO',
  'LHLO',
  'ETRN',
  'XCLIENT',
  'XFORWARD',
])

import { statfsSync } from 'node:fs'
import type { MailErrorKind } from '../../core/index.js'
import { isMailError, MailError } from '../../core/index.js'

/** SQLite's own texts, the same through every driver. */
const texts: readonly (readonly [RegExp, MailErrorKind])[] = [
  [/ENOSPC|EDQUOT|disk is full/i, 'diskFull'],
  [/malformed|not a database|corrupt/i, 'corrupt'],
  [/database is locked|SQLITE_BUSY/i, 'inUse'],
]
/** An I/O error on a disk with less than this left is taken for a full disk: not every driver can tell them apart. */
const NEARLY_FULL = 1024 * 1024

/** What a failure of the database means for mail. `folder` is where it lies, or null for one in memory. */
export function toMailError(error: unknown, folder: string | null): MailError {
  if (isMailError(error)) return error
  const text =
    error instanceof Error ? `${(error as { code?: unknown }).code ?? ''} ${error.message}` : String(error)
  const kind = texts.find(([pattern]) => pattern.test(text))?.[1]
  if (kind !== undefined) return new MailError(kind, advice[kind] ?? text, { cause: error })
  if (/I\/O error|EIO|unable to open|could not open/i.test(text) && folder !== null && isFull(folder)) {
    return new MailError('diskFull', advice.diskFull ?? text, { cause: error })
  }
  const hint = /readonly|EACCES|EPERM|EROFS|unable to open|could not open/i.test(text)
    ? '; check that the folder and its files may be written by this user'
    : ''
  return new MailError('unavailable', `the mail store failed: ${text.trim()}${hint}`, { cause: error })
}

const advice: Partial<Record<MailErrorKind, string>> = {
  diskFull:
    'the disk that holds the data folder is full; free some space, nothing that was acknowledged is lost',
  corrupt:
    'the database is damaged; stop the server, keep a copy of the data folder, and restore mail.db and messages from ' +
    'a backup, or recover mail.db with "sqlite3 mail.db .recover"',
  inUse: 'another program has the database open; close it and start again',
}

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize < NEARLY_FULL
  } catch {
    return false
  }
}

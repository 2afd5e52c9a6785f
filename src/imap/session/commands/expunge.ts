import type { SequenceSet } from '../../sequence-set.js'
import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { ok } from '../outcome.js'
import type { UserSession } from '../user-session.js'
import { readOnly } from './store.js'

/** EXPUNGE and UID EXPUNGE (RFC 3501 section 6.4.3, RFC 4315 section 2.1). */
export async function expunge(session: UserSession, command: CommandOf<'EXPUNGE'>): Promise<Outcome> {
  if (session.mailbox.readOnly) return readOnly
  await expungeDeleted(session, command.uids)
  return ok('Expunged')
}

/** Removes what is marked \Deleted, of everything or of those UIDs. What is gone is told with the news. */
export async function expungeDeleted(session: UserSession, set: SequenceSet | null): Promise<void> {
  const selected = session.mailbox
  if (selected.changed) await selected.sync()
  const { view, mailbox } = selected
  const all = view.resolve(set ?? [[1, view.count]], set !== null)
  const uids = all.filter((uid) => view.flagsOf(uid).includes('\\Deleted') && !view.isExpunged(uid))
  if (uids.length === 0) return
  await session.store.apply([{ type: 'expunge', mailbox: mailbox.id, uids }])
  session.touch(mailbox.id)
}

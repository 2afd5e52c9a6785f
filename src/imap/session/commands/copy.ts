import { isMailError } from '../../../core/errors.js'
import type { MailboxInfo, Result } from '../../../interfaces/index.js'
import { copyUidCode, untagged } from '../../responses.js'
import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { ok } from '../outcome.js'
import type { UserSession } from '../user-session.js'
import { tryCreate } from './append.js'
import { noSuchNumber, readOnly, someGone } from './store.js'

type Transferred = Extract<Result, { readonly type: 'copy' | 'move' }>

/** RFC 3501 section 6.4.7, with COPYUID of RFC 4315: all the messages, or none. */
export async function copy(session: UserSession, command: CommandOf<'COPY'>): Promise<Outcome> {
  const done = await transfer(session, command, 'copy')
  return 'status' in done ? done : ok('Copied', done.code)
}

/** RFC 6851: the copies are told before the expunges, and those before the tagged reply. */
export async function move(session: UserSession, command: CommandOf<'MOVE'>): Promise<Outcome> {
  if (session.mailbox.readOnly) return readOnly
  const done = await transfer(session, command, 'move')
  if ('status' in done) return done
  if (done.code !== null) session.engine.respond(untagged('OK', done.code, 'Moved'))
  return ok('Moved')
}

/** The COPYUID code, null where there was nothing to copy, or why it was not done. */
async function transfer(
  session: UserSession,
  command: CommandOf<'COPY' | 'MOVE'>,
  type: 'copy' | 'move',
): Promise<{ readonly code: string | null } | Outcome> {
  const { mailbox } = session.mailbox
  const found = session.mailbox.resolve(command.set, command.uid)
  if (found === null) return noSuchNumber
  if (found.gone) return someGone
  const target = await session.account.find(command.mailbox)
  if (target === null || !target.selectable) return tryCreate
  if (found.uids.length === 0) return { code: null }
  const result = await apply(session, { type, from: mailbox.id, uids: found.uids, to: target.id }, target)
  if (result === null) return tryCreate
  session.touch(mailbox.id)
  session.touch(target.id)
  if (result.from.length === 0) return command.uid ? { code: null } : someGone
  return { code: copyUidCode(result.uidValidity, result.from, result.to) }
}

/** Null where the target was deleted in the meantime. */
async function apply(
  session: UserSession,
  op: { readonly type: 'copy' | 'move'; readonly from: string; readonly uids: number[]; readonly to: string },
  target: MailboxInfo,
): Promise<Transferred | null> {
  try {
    const [result] = await session.store.apply([op])
    if (result?.type !== op.type) throw new Error('the store copied nothing')
    return result
  } catch (error) {
    const gone = isMailError(error) && error.kind === 'notFound'
    if (gone && (await session.account.find(target.name))?.id !== target.id) return null
    throw error
  }
}

import { existsResponse, recentResponse, untagged } from '../../responses.js'
import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { ok } from '../outcome.js'
import { Selected } from '../selected.js'
import type { UserSession } from '../user-session.js'
import { expungeDeleted } from './expunge.js'

/** RFC 3501 sections 6.3.1 and 6.3.2. Whatever was selected before is not any more, even where this fails. */
export async function select(
  session: UserSession,
  command: CommandOf<'SELECT' | 'EXAMINE'>,
): Promise<Outcome> {
  const { engine } = session
  await session.deselect()
  engine.enter('authenticated')
  const mode = command.name === 'SELECT' ? 'write' : 'read'
  const selected = await Selected.open(session.account, command.mailbox, mode)
  session.selected = selected
  engine.enter('selected')
  const { view, mailbox } = selected
  engine.respond(selected.describeFlags())
  engine.respond(existsResponse(view.count) + recentResponse(view.recentCount))
  const unseen = view.firstUnseen()
  if (unseen !== null) engine.respond(untagged('OK', `UNSEEN ${unseen}`, 'First unseen message'))
  engine.respond(untagged('OK', `UIDVALIDITY ${mailbox.uidValidity}`, 'UIDs valid'))
  engine.respond(untagged('OK', `UIDNEXT ${selected.uidNext}`, 'Predicted next UID'))
  return selected.readOnly ? ok('Selected, read-only', 'READ-ONLY') : ok('Selected', 'READ-WRITE')
}

/** RFC 3501 section 6.4.2: expunges without a word, where the mailbox may be changed. */
export async function close(session: UserSession): Promise<Outcome> {
  if (!session.mailbox.readOnly) await expungeDeleted(session, null)
  return unselect(session)
}

/** RFC 3691. */
export async function unselect(session: UserSession): Promise<Outcome> {
  await session.deselect()
  session.engine.enter('authenticated')
  return ok('Mailbox closed')
}

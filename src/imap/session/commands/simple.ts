import { enabledResponse, idResponse, namespaceResponse } from '../../responses.js'
import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { ok } from '../outcome.js'
import type { UserSession } from '../user-session.js'

/** NOOP and CHECK (RFC 3501 sections 6.1.2 and 6.4.1): whatever happened is looked up, and told with the reply. */
export async function poll(session: UserSession, command: CommandOf<'NOOP' | 'CHECK'>): Promise<Outcome> {
  if (session.selected !== null) session.selected.changed = true
  return ok(command.name === 'NOOP' ? 'Nothing done' : 'Checked')
}

/** RFC 2971. What the client says of itself goes into the log. */
export async function id(session: UserSession, command: CommandOf<'ID'>): Promise<Outcome> {
  const said = (command.parameters ?? []).map(([name, value]) => `${name}=${value ?? ''}`)
  if (said.length > 0) session.log('info', 'imap.id', { client: said })
  session.engine.respond(idResponse([['name', 'Mailwright']]))
  return ok('Identified')
}

/** RFC 2342: one personal namespace, no other users' and no shared one. */
export async function namespace(session: UserSession): Promise<Outcome> {
  session.engine.respond(namespaceResponse(session.store.features.delimiter))
  return ok('Namespaces told')
}

/** RFC 5161: nothing here needs enabling, so nothing is. */
export async function enable(session: UserSession): Promise<Outcome> {
  session.engine.respond(enabledResponse([]))
  return ok('Nothing to enable')
}

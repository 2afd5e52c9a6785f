import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { ok } from '../outcome.js'
import type { UserSession } from '../user-session.js'

/**
 * RFC 3501 section 6.3.3. A delimiter at the end says that names are to be made under this one, which every
 * mailbox allows.
 */
export async function create(session: UserSession, command: CommandOf<'CREATE'>): Promise<Outcome> {
  const { delimiter } = session.store.features
  const { mailbox } = command
  await session.account.create(mailbox.endsWith(delimiter) ? mailbox.slice(0, -1) : mailbox)
  return ok('Mailbox created')
}

/** RFC 3501 section 6.3.4. Who deletes the mailbox that is selected here has none selected afterwards. */
export async function remove(session: UserSession, command: CommandOf<'DELETE'>): Promise<Outcome> {
  const { account, selected } = session
  const id = selected === null ? null : ((await account.find(command.mailbox))?.id ?? null)
  await account.remove(command.mailbox)
  if (selected !== null && selected.mailbox.id === id) {
    await session.deselect()
    session.engine.enter('authenticated')
  }
  return ok('Mailbox deleted')
}

/** RFC 3501 section 6.3.5. */
export async function rename(session: UserSession, command: CommandOf<'RENAME'>): Promise<Outcome> {
  const { delimiter } = session.store.features
  const { from, to } = command
  await session.account.rename(from, to.endsWith(delimiter) ? to.slice(0, -1) : to)
  return ok('Mailbox renamed')
}

/** RFC 3501 sections 6.3.6 and 6.3.7. A name may be subscribed that does not exist. */
export async function subscribe(
  session: UserSession,
  command: CommandOf<'SUBSCRIBE' | 'UNSUBSCRIBE'>,
): Promise<Outcome> {
  const subscribed = command.name === 'SUBSCRIBE'
  await session.account.subscribe(command.mailbox, subscribed)
  return ok(subscribed ? 'Subscribed' : 'Unsubscribed')
}

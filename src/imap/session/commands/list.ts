import type { MailboxInfo } from '../../../interfaces/index.js'
import { listResponse } from '../../responses.js'
import type { CommandOf } from '../dispatch.js'
import { ListPattern } from '../list-pattern.js'
import type { Outcome } from '../outcome.js'
import { ok } from '../outcome.js'
import type { UserSession } from '../user-session.js'

/** Names that are matched before others get their turn. */
const NAMES = 100

/** RFC 3501 section 6.3.8, with the attributes of RFC 3348 (children) and RFC 6154 (special use). */
export async function list(session: UserSession, command: CommandOf<'LIST'>): Promise<Outcome> {
  const { delimiter } = session.store.features
  if (command.pattern === '') {
    session.engine.respond(
      listResponse('LIST', ['\\Noselect'], delimiter, rootOf(command.reference, delimiter)),
    )
    return ok('Hierarchy delimiter told')
  }
  const mailboxes = (await session.account.list()).filter(
    ({ selectable, hasChildren }) => selectable || hasChildren,
  )
  await tellNames(session, command, mailboxes, (mailbox) =>
    mailbox === null ? ['\\Noselect', '\\HasChildren'] : attributes(mailbox),
  )
  return ok('Listed')
}

/**
 * RFC 3501 section 6.3.9: names that are subscribed, whether they exist or not. A level above one of them is
 * \Noselect.
 */
export async function lsub(session: UserSession, command: CommandOf<'LSUB'>): Promise<Outcome> {
  const { delimiter } = session.store.features
  if (command.pattern === '') {
    session.engine.respond(
      listResponse('LSUB', ['\\Noselect'], delimiter, rootOf(command.reference, delimiter)),
    )
    return ok('Hierarchy delimiter told')
  }
  const subscribed = (await session.account.list()).filter((mailbox) => mailbox.subscribed)
  await tellNames(session, command, subscribed, (mailbox) => (mailbox === null ? ['\\Noselect'] : []))
  return ok('Listed')
}

/** The reference's first level with its delimiter, or nothing where it has none. */
function rootOf(reference: string, delimiter: string): string {
  return reference.slice(0, reference.indexOf(delimiter) + 1)
}

function attributes(mailbox: MailboxInfo): string[] {
  const found: string[] = []
  if (!mailbox.selectable) found.push('\\Noselect')
  found.push(mailbox.hasChildren ? '\\HasChildren' : '\\HasNoChildren')
  if (mailbox.specialUse !== null) found.push(mailbox.specialUse)
  return found
}

/** `describe` is asked with null for a level of hierarchy that is not among the mailboxes. */
async function tellNames(
  session: UserSession,
  command: CommandOf<'LIST' | 'LSUB'>,
  mailboxes: readonly MailboxInfo[],
  describe: (mailbox: MailboxInfo | null) => readonly string[],
): Promise<void> {
  const { delimiter } = session.store.features
  const pattern = new ListPattern(command.reference + command.pattern, delimiter)
  const names = new Set(pattern.findsLevels ? mailboxes.map((mailbox) => mailbox.name) : [])
  let count = 0
  const tell = (mailbox: MailboxInfo | null, name: string): void =>
    session.engine.respond(listResponse(command.name, describe(mailbox), delimiter, name))
  for (const mailbox of mailboxes) {
    if (++count % NAMES === 0) await session.pause()
    if (pattern.findsLevels) {
      const { name } = mailbox
      for (let end = name.indexOf(delimiter); end !== -1; end = name.indexOf(delimiter, end + 1)) {
        const level = name.slice(0, end)
        if (names.has(level)) continue
        names.add(level)
        if (pattern.matches(level)) tell(null, level)
      }
    }
    if (pattern.matches(mailbox.name)) tell(mailbox, mailbox.name)
  }
}

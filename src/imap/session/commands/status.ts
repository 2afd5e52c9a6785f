import type { MailboxStatus } from '../../../interfaces/index.js'
import type { StatusItem } from '../../command.js'
import { statusResponse } from '../../responses.js'
import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { ok } from '../outcome.js'
import type { UserSession } from '../user-session.js'

const values: Readonly<Record<StatusItem, (status: MailboxStatus) => number>> = {
  MESSAGES: (status) => status.messages,
  RECENT: (status) => status.recent,
  UIDNEXT: (status) => status.uidNext,
  UIDVALIDITY: (status) => status.uidValidity,
  UNSEEN: (status) => status.unseen,
}

/** RFC 3501 section 6.3.10. */
export async function status(session: UserSession, command: CommandOf<'STATUS'>): Promise<Outcome> {
  const found = await session.account.status(command.mailbox)
  const items = command.items.map((item) => [item, values[item](found)] as const)
  session.engine.respond(statusResponse(command.mailbox, items))
  return ok('Status told')
}

import { fetchResponse } from '../../responses.js'
import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { bad, no, ok } from '../outcome.js'
import type { UserSession } from '../user-session.js'
import { BLOCK } from '../user-session.js'

export const readOnly: Outcome = no('Mailbox is selected read-only')
export const noSuchNumber: Outcome = bad('No message has that sequence number')
export const someGone: Outcome = no('Some of the messages are expunged', 'EXPUNGEISSUED')

/**
 * RFC 3501 section 6.4.6. Done in blocks, each of them one atomic step. The parser refuses
 * \Recent. Without .SILENT every message's flags are told, whether they changed or not.
 */
export async function store(session: UserSession, command: CommandOf<'STORE'>): Promise<Outcome> {
  const selected = session.mailbox
  const { view, mailbox } = selected
  if (selected.readOnly) return readOnly
  const found = selected.resolve(command.set, command.uid)
  if (found === null) return noSuchNumber
  let { gone } = found
  for (let at = 0; at < found.uids.length; at += BLOCK) {
    if (at > 0) await session.pause()
    const uids = found.uids.slice(at, at + BLOCK)
    const [result] = await session.store.apply([
      { type: 'setFlags', mailbox: mailbox.id, uids, mode: command.mode, flags: command.flags },
    ])
    if (result?.type !== 'setFlags') throw new Error('the store set no flags')
    for (const change of result.changed) {
      selected.learn(change.flags)
      view.told(change.uid, change.flags)
    }
    const missing = new Set(result.missing)
    if (missing.size > 0 && !command.uid) gone = true
    if (command.silent) continue
    session.engine.respond(selected.newKeywords())
    for (const uid of uids) {
      if (missing.has(uid)) continue
      const items = [`FLAGS ${selected.flagsText(uid, view.flagsOf(uid))}`]
      if (command.uid) items.unshift(`UID ${uid}`)
      session.engine.respond(fetchResponse(view.seqOf(uid) as number, items))
    }
  }
  return gone ? someGone : ok('Flags stored')
}

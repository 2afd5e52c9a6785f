import { isMailError } from '../../../core/errors.js'
import type { MessageWant } from '../../../interfaces/index.js'
import type { FetchItem } from '../../command.js'
import type { CommandOf } from '../dispatch.js'
import { isBodyItem, tellFlags, tellMessage } from '../fetch-response.js'
import type { Outcome } from '../outcome.js'
import { ok } from '../outcome.js'
import { needsFacts } from '../section-octets.js'
import type { UserSession } from '../user-session.js'
import { BLOCK } from '../user-session.js'
import { noSuchNumber, someGone } from './store.js'

/** Messages up to this size come along with what is known of them; of larger ones only what is asked for is read. */
const INLINE_OCTETS = 65_536
/** Messages asked for at once where their octets come along. */
const BODY_BLOCK = 50

const FLAGS: FetchItem = { type: 'FLAGS' }
const UID: FetchItem = { type: 'UID' }

/** What a FETCH needs, found once for all its messages. */
interface Plan {
  readonly items: readonly FetchItem[]
  /** For messages whose flags the FETCH has changed: FLAGS is among them (RFC 3501 section 6.4.5). */
  readonly itemsAndFlags: readonly FetchItem[]
  /** Null where nothing is asked of the store. */
  readonly want: MessageWant | null
  readonly block: number
  readonly setsSeen: boolean
}

/** RFC 3501 section 6.4.5. Facts never read a body; bodies are sent as they are read, under backpressure. */
export async function fetch(session: UserSession, command: CommandOf<'FETCH'>): Promise<Outcome> {
  const selected = session.mailbox
  const found = selected.resolve(command.set, command.uid)
  if (found === null) return noSuchNumber
  const plan = planOf(command, selected.readOnly)
  let { gone } = found
  for (let at = 0; at < found.uids.length; at += plan.block) {
    if (at > 0) await session.pause()
    const uids = found.uids.slice(at, at + plan.block)
    const told = await fetchBlock(session, plan, uids)
    if (told < uids.length && !command.uid) gone = true
  }
  return gone ? someGone : ok('Fetched')
}

/** How many of the messages were there. */
async function fetchBlock(session: UserSession, plan: Plan, uids: number[]): Promise<number> {
  const { mailbox: selected } = session
  if (plan.want === null) {
    for (const uid of uids) tellFlags(session, plan.items, uid)
    return uids.length
  }
  const changed = plan.setsSeen ? await setSeen(session, uids) : null
  let told = 0
  for await (const infos of selected.mailbox.messages(uids, plan.want)) {
    for (const info of infos) {
      const items = changed?.has(info.uid) === true ? plan.itemsAndFlags : plan.items
      if (await tellMessage(session, items, info)) told++
      await session.drain()
    }
  }
  return told
}

function planOf(command: CommandOf<'FETCH'>, readOnly: boolean): Plan {
  const withUid = command.uid && !command.items.some((item) => item.type === 'UID')
  const items = withUid ? [UID, ...command.items] : command.items
  const bodies = items.filter(isBodyItem)
  const facts =
    bodies.some(needsFacts) || items.some(({ type }) => type === 'ENVELOPE' || type === 'BODYSTRUCTURE')
  const flagsOnly = items.every(({ type }) => type === 'FLAGS' || type === 'UID')
  return {
    items,
    itemsAndFlags: items.some(({ type }) => type === 'FLAGS') ? items : [...items, FLAGS],
    want: flagsOnly ? null : bodies.length > 0 ? { facts, bodyUpTo: INLINE_OCTETS } : { facts },
    block: bodies.length > 0 ? BODY_BLOCK : BLOCK,
    setsSeen: !readOnly && bodies.some((item) => !item.peek),
  }
}

/**
 * Marks the messages as seen in one step; the UIDs whose flags changed. A store that cannot write still lets its
 * messages be read.
 */
async function setSeen(session: UserSession, uids: readonly number[]): Promise<ReadonlySet<number>> {
  const { view, mailbox } = session.mailbox
  const unseen = uids.filter((uid) => !view.flagsOf(uid).includes('\\Seen'))
  const changed = new Set<number>()
  if (unseen.length === 0) return changed
  try {
    const [result] = await session.store.apply([
      { type: 'setFlags', mailbox: mailbox.id, uids: unseen, mode: 'add', flags: ['\\Seen'] },
    ])
    if (result?.type !== 'setFlags') throw new Error('the store set no flags')
    for (const { uid, flags } of result.changed) {
      session.mailbox.learn(flags)
      view.told(uid, flags)
      changed.add(uid)
    }
    session.engine.respond(session.mailbox.newKeywords())
  } catch (error) {
    if (!isMailError(error)) throw error
    session.log('warn', 'imap.seen', { error: error.message })
  }
  return changed
}

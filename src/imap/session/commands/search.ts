import { isMailError } from '../../../core/errors.js'
import type { MessageInfo } from '../../../interfaces/index.js'
import { Headers } from '../../../mime/index.js'
import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { bad, no, ok } from '../outcome.js'
import type { Probe, Search } from '../search-predicate.js'
import { compileSearch, reaches } from '../search-predicate.js'
import { findInBody } from '../search-text.js'
import { readRange } from '../section-octets.js'
import type { UserSession } from '../user-session.js'
import { BLOCK } from '../user-session.js'

const CHARSETS: ReadonlySet<string> = new Set(['US-ASCII', 'UTF-8'])
/** Messages up to this size come along where headers or bodies are searched, so many at once. */
const INLINE_OCTETS = 65_536
const BODY_BLOCK = 20

/**
 * RFC 3501 section 6.4.4. What the view knows decides first; the store is asked only about the messages that this
 * leaves open, and the header and then the body are read of those that are still open after that. Block by block.
 */
export async function search(session: UserSession, command: CommandOf<'SEARCH'>): Promise<Outcome> {
  const { engine } = session
  if (command.charset !== null && !CHARSETS.has(command.charset)) {
    return no('That charset is not supported', 'BADCHARSET (US-ASCII UTF-8)')
  }
  const { view } = session.mailbox
  const bounds = { count: view.count, largestUid: view.uidAt(view.count) ?? 0 }
  const compiled = compileSearch(command.key, bounds)
  if (compiled === null) return bad('The text to search for is not UTF-8')
  const matches: number[] = []
  for (let first = 1; first <= bounds.count; first += BLOCK) {
    if (first > 1) await session.pause()
    const uids = await searchBlock(session, compiled, first, Math.min(first + BLOCK - 1, bounds.count))
    for (const uid of uids) matches.push(command.uid ? uid : (view.seqOf(uid) as number))
  }
  engine.respond('* SEARCH')
  for (let at = 0; at < matches.length; at += BLOCK) {
    engine.respond(` ${matches.slice(at, at + BLOCK).join(' ')}`)
    await session.drain()
  }
  engine.respond('\r\n')
  return ok('Searched')
}

/** The UIDs that match among the messages of those sequence numbers, ascending. */
async function searchBlock(
  session: UserSession,
  search: Search,
  first: number,
  last: number,
): Promise<number[]> {
  const { view } = session.mailbox
  const matches: number[] = []
  const open = new Map<number, Probe>()
  for (let seq = first; seq <= last; seq++) {
    const uid = view.uidAt(seq) as number
    if (view.isExpunged(uid)) continue
    const probe = newProbe(uid, seq, view.flagsOf(uid), view.isRecent(uid))
    const result = search.test(probe)
    if (result === true) matches.push(uid)
    else if (result === undefined) open.set(uid, probe)
  }
  if (open.size === 0) return matches
  await searchStore(session, search, open, matches)
  return matches.sort((a, b) => a - b)
}

function newProbe(uid: number, seq: number, flags: Probe['flags'], recent: boolean): Probe {
  return { uid, seq, flags, recent, info: null, headers: null, inBody: null }
}

/** Decides on the messages that are still open. */
async function searchStore(
  session: UserSession,
  search: Search,
  open: ReadonlyMap<number, Probe>,
  matches: number[],
): Promise<void> {
  const { mailbox } = session.mailbox
  const content = reaches(search.depth, 'header')
  const facts = reaches(search.depth, 'facts')
  const want = content ? { facts, bodyUpTo: INLINE_OCTETS } : { facts }
  const uids = [...open.keys()]
  const block = content ? BODY_BLOCK : BLOCK
  for (let at = 0; at < uids.length; at += block) {
    if (at > 0) await session.pause()
    for await (const infos of mailbox.messages(uids.slice(at, at + block), want)) {
      for (const info of infos) {
        const probe: Probe = { ...(open.get(info.uid) as Probe), info }
        const known = search.test(probe)
        const result = known ?? (await searchContent(session, search, probe, info))
        if (result) matches.push(info.uid)
      }
    }
  }
}

/** Reads the header, and the body where the header does not decide. A message that is gone by now is no match. */
async function searchContent(
  session: UserSession,
  search: Search,
  probe: Probe,
  info: MessageInfo,
): Promise<boolean> {
  const { mailbox } = session.mailbox
  try {
    const root = info.facts?.root
    const range = { from: root?.headerOffset ?? 0, to: root?.bodyOffset ?? 0 }
    const withHeader: Probe = { ...probe, headers: new Headers(await readRange(mailbox, info, range)) }
    const known = search.test(withHeader)
    if (known !== undefined) return known
    const inBody = await findInBody(mailbox, info, search.needles, () => session.pause())
    return search.test({ ...withHeader, inBody }) === true
  } catch (error) {
    if (isMailError(error) && error.kind === 'expunged') return false
    throw error
  }
}

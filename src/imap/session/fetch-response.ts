import type { MessageInfo } from '../../interfaces/index.js'
import type { FetchItem } from '../command.js'
import { bodyStructure, dateTime, envelope, literalPrefix } from '../responses.js'
import { BrokenResponse, SessionEnded } from './ended.js'
import type { BodyItem, SectionOctets } from './section-octets.js'
import { openSection } from './section-octets.js'
import type { UserSession } from './user-session.js'

/** Items that are answered from what the session knows of the message, and from the store's `info`. */
type PlainItem = Exclude<FetchItem, { readonly type: 'BODY' }>

/**
 * Sends the FETCH response of one message, octets of bodies as the store yields them. False when the message turned out
 * to be expunged before anything was sent; a section that is gone after that is told as NIL.
 */
export async function tellMessage(
  session: UserSession,
  items: readonly FetchItem[],
  info: MessageInfo,
): Promise<boolean> {
  const { engine, mailbox } = session
  const start = `* ${mailbox.view.seqOf(info.uid)} FETCH (`
  let pending = start
  let sent = false
  try {
    for (const item of items) {
      if (pending !== start) pending += ' '
      if (item.type !== 'BODY') {
        pending += plainItem(session, item, info)
        continue
      }
      const label = item.partial === null ? item.label : `${item.label}<${item.partial.offset}>`
      const octets = await openSection(mailbox.mailbox, info, item)
      if (octets === 'expunged' && !sent) return false
      if (octets === 'expunged' || octets === null) {
        pending += `${label} NIL`
        continue
      }
      engine.respond(`${pending}${label} ${octets.size === 0 ? '""' : literalPrefix(octets.size)}`)
      pending = ''
      sent = true
      await sendLiteral(session, octets)
    }
  } catch (error) {
    throw sent && !(error instanceof SessionEnded) ? new BrokenResponse(error) : error
  }
  engine.respond(`${pending})\r\n`)
  return true
}

/** What a FETCH of flags and UIDs only says: nothing of it is asked of the store. */
export function tellFlags(session: UserSession, items: readonly FetchItem[], uid: number): void {
  const { view } = session.mailbox
  let text = `* ${view.seqOf(uid)} FETCH (`
  items.forEach((item, index) => {
    if (index > 0) text += ' '
    text += item.type === 'UID' ? `UID ${uid}` : flagsItem(session, uid)
  })
  session.engine.respond(`${text})\r\n`)
}

/** The client hears the flags here, so that they are no news any more. */
function flagsItem(session: UserSession, uid: number): string {
  const { mailbox: selected } = session
  const flags = selected.view.flagsOf(uid)
  selected.view.told(uid, flags)
  return `FLAGS ${selected.flagsText(uid, flags)}`
}

function plainItem(session: UserSession, item: PlainItem, info: MessageInfo): string {
  switch (item.type) {
    case 'UID':
      return `UID ${info.uid}`
    case 'FLAGS':
      return flagsItem(session, info.uid)
    case 'INTERNALDATE':
      return `INTERNALDATE ${dateTime(info.internalDate)}`
    case 'RFC822.SIZE':
      return `RFC822.SIZE ${info.size}`
    case 'ENVELOPE':
      return `ENVELOPE ${info.facts === null ? 'NIL' : envelope(info.facts.envelope)}`
    case 'BODYSTRUCTURE': {
      const name = item.extensible ? 'BODYSTRUCTURE' : 'BODY'
      return `${name} ${info.facts === null ? 'NIL' : bodyStructure(info.facts.root, item.extensible)}`
    }
    default:
      return item satisfies never
  }
}

/** Sends exactly as many octets as were announced, or throws. */
async function sendLiteral(session: UserSession, octets: SectionOctets): Promise<void> {
  let left = octets.size
  const send = (piece: Uint8Array): Promise<void> => {
    left -= piece.length
    if (left < 0) throw new Error('the store gave more octets than were asked for')
    session.engine.respondBytes(withoutNul(piece))
    return session.drain()
  }
  try {
    await send(octets.first)
    while (octets.rest !== null && left > 0) {
      const { done, value } = await octets.rest.next()
      if (done === true) throw new Error('the store gave fewer octets than it has')
      await send(value)
    }
  } finally {
    await octets.rest?.return?.()
  }
}

/** RFC 3501 section 4.3: no literal holds NUL. The message's size stays what it is. */
function withoutNul(piece: Uint8Array): Uint8Array {
  return piece.includes(0) ? piece.map((octet) => (octet === 0 ? 0x3f : octet)) : piece
}

/** True where the item is a section of the message's octets. */
export function isBodyItem(item: FetchItem): item is BodyItem {
  return item.type === 'BODY'
}

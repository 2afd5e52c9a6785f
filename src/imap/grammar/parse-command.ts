import type { Command } from '../command.js'
import { parseEnable, parseId, parseLogin } from './access.js'
import { Cursor } from './cursor.js'
import { fetchParser } from './fetch.js'
import { listParser, mailboxParser, parseRename, parseStatus } from './mailboxes.js'
import { parseUidExpunge, storeParser, transferParser } from './messages.js'
import { searchParser } from './search.js'

/** By the command's name as `parseHead` gives it: what stands between the name and the end of the command. */
const parsers: ReadonlyMap<string, (cursor: Cursor) => Command> = new Map<
  string,
  (cursor: Cursor) => Command
>([
  ['NOOP', () => ({ name: 'NOOP' })],
  ['CHECK', () => ({ name: 'CHECK' })],
  ['CLOSE', () => ({ name: 'CLOSE' })],
  ['UNSELECT', () => ({ name: 'UNSELECT' })],
  ['NAMESPACE', () => ({ name: 'NAMESPACE' })],
  ['IDLE', () => ({ name: 'IDLE' })],
  ['EXPUNGE', () => ({ name: 'EXPUNGE', uids: null })],
  ['LOGIN', parseLogin],
  ['ID', parseId],
  ['ENABLE', parseEnable],
  ['SELECT', mailboxParser('SELECT')],
  ['EXAMINE', mailboxParser('EXAMINE')],
  ['CREATE', mailboxParser('CREATE')],
  ['DELETE', mailboxParser('DELETE')],
  ['SUBSCRIBE', mailboxParser('SUBSCRIBE')],
  ['UNSUBSCRIBE', mailboxParser('UNSUBSCRIBE')],
  ['RENAME', parseRename],
  ['LIST', listParser('LIST')],
  ['LSUB', listParser('LSUB')],
  ['STATUS', parseStatus],
  ['SEARCH', searchParser(false)],
  ['FETCH', fetchParser(false)],
  ['STORE', storeParser(false)],
  ['COPY', transferParser('COPY', false)],
  ['MOVE', transferParser('MOVE', false)],
  ['UID SEARCH', searchParser(true)],
  ['UID FETCH', fetchParser(true)],
  ['UID STORE', storeParser(true)],
  ['UID COPY', transferParser('COPY', true)],
  ['UID MOVE', transferParser('MOVE', true)],
  ['UID EXPUNGE', parseUidExpunge],
])

/** What a command begins with. */
export interface CommandHead {
  /** Null where there is no tag that a reply could carry. */
  readonly tag: string | null
  /** In capitals, `UID` with the word after it; empty where there is none. */
  readonly name: string
  /** Where the name ends. */
  readonly end: number
}

/** Octets of the longest tag that is echoed. */
const MAX_TAG = 255

/** `tag SP name`. The tag is 1*<any ASTRING-CHAR except "+">; the name ends before the first octet that is no letter. */
const HEAD = /^([^\x00-\x20\x7f-\xff(){%*"\\+]{1,255})(?: ((?:uid )?[a-z]+(?![^ \r\n])))?/i

/**
 * Reads a command's head and nothing after it. A word alone is no tag: it is more likely a response to an exchange
 * that was refused, and not to be echoed.
 */
export function parseHead(text: string): CommandHead {
  const found = HEAD.exec(text.slice(0, MAX_TAG * 2))
  const [whole = '', tag = null, name = ''] = found ?? []
  const usable = name !== '' || text[whole.length] === ' '
  return { tag: usable ? tag : null, name: name.toUpperCase(), end: whole.length }
}

/** Parses what follows the head. Throws CommandFault; `head.name` must be one of the session's commands. */
export function parseCommand(text: string, head: CommandHead): Command {
  const parse = parsers.get(head.name)
  if (parse === undefined) throw new RangeError(`no parser for ${head.name}`)
  const cursor = new Cursor(text, head.end)
  const command = parse(cursor)
  cursor.expectEnd()
  return command
}

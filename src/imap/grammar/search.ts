import type { Command, SearchKey } from '../command.js'
import type { Cursor } from './cursor.js'
import { malformed } from './cursor.js'
import { expectDate } from './values.js'

/** How deep NOT, OR and parentheses may go in one another. */
const MAX_DEPTH = 100

/**
 * The charset in capitals goes to the session, which knows what it can compare.
 *
 *     search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key)
 */
export function searchParser(uid: boolean): (cursor: Cursor) => Command {
  return (cursor) => {
    cursor.expectSpace()
    const start = cursor.at
    let charset: string | null = null
    if (cursor.word() === 'CHARSET') {
      cursor.expectSpace()
      charset = cursor.expectAString().toUpperCase()
      cursor.expectSpace()
    } else cursor.at = start
    return { name: 'SEARCH', uid, charset, key: expectKeys(cursor) }
  }
}

/** A key that waits for the keys in it. The first is the list of the whole command, which no parenthesis closes. */
interface Frame {
  readonly type: 'AND' | 'NOT' | 'OR'
  readonly keys: SearchKey[]
}

/** `search-key *(SP search-key)` to the end of the command, without recursion. */
function expectKeys(cursor: Cursor): SearchKey {
  const frames: Frame[] = [{ type: 'AND', keys: [] }]
  for (;;) {
    const opened = openFrame(cursor)
    if (opened !== null) {
      if (frames.push(opened) > MAX_DEPTH) throw malformed('The search is nested too deeply')
      continue
    }
    let key: SearchKey | null = expectSimpleKey(cursor)
    while (key !== null) {
      const frame = frames.at(-1) as Frame
      frame.keys.push(key)
      key = closeFrame(cursor, frame, frames.length === 1)
      if (key === null) break
      frames.pop()
      if (frames.length === 0) return key
    }
    cursor.expectSpace()
  }
}

/** `"(" / "NOT" SP / "OR" SP` */
function openFrame(cursor: Cursor): Frame | null {
  if (cursor.take('(')) return { type: 'AND', keys: [] }
  const start = cursor.at
  const word = cursor.word()
  if (word === 'NOT' || word === 'OR') {
    cursor.expectSpace()
    return { type: word, keys: [] }
  }
  cursor.at = start
  return null
}

/** The frame's own key once it has all it needs, else null. */
function closeFrame(cursor: Cursor, frame: Frame, outermost: boolean): SearchKey | null {
  const [first, second] = frame.keys as [SearchKey, SearchKey | undefined]
  switch (frame.type) {
    case 'NOT':
      return { type: 'NOT', key: first }
    case 'OR':
      return second === undefined ? null : { type: 'OR', keys: [first, second] }
    case 'AND':
      if (outermost ? !cursor.atEnd : !cursor.take(')')) return null
      return second === undefined ? first : { type: 'AND', keys: frame.keys }
  }
}

const flag = (name: string, set: boolean): SearchKey => ({ type: 'FLAG', flag: name, set })

/** The keys without an argument. */
const PLAIN_KEYS: ReadonlyMap<string, SearchKey> = new Map<string, SearchKey>([
  ['ALL', { type: 'ALL' }],
  ['ANSWERED', flag('\\Answered', true)],
  ['DELETED', flag('\\Deleted', true)],
  ['DRAFT', flag('\\Draft', true)],
  ['FLAGGED', flag('\\Flagged', true)],
  ['SEEN', flag('\\Seen', true)],
  ['UNANSWERED', flag('\\Answered', false)],
  ['UNDELETED', flag('\\Deleted', false)],
  ['UNDRAFT', flag('\\Draft', false)],
  ['UNFLAGGED', flag('\\Flagged', false)],
  ['UNSEEN', flag('\\Seen', false)],
  ['NEW', { type: 'AND', keys: [{ type: 'RECENT', set: true }, flag('\\Seen', false)] }],
  ['OLD', { type: 'RECENT', set: false }],
  ['RECENT', { type: 'RECENT', set: true }],
])

/** The keys with one, by what follows the space. */
const KEYS_WITH_ARGUMENT: ReadonlyMap<string, (cursor: Cursor) => SearchKey> = new Map([
  ['BCC', header('BCC')],
  ['CC', header('CC')],
  ['FROM', header('FROM')],
  ['SUBJECT', header('SUBJECT')],
  ['TO', header('TO')],
  ['HEADER', expectHeaderKey],
  ['BODY', (cursor): SearchKey => ({ type: 'BODY', text: cursor.expectAString() })],
  ['TEXT', (cursor): SearchKey => ({ type: 'TEXT', text: cursor.expectAString() })],
  ['BEFORE', day('INTERNALDATE', 'before')],
  ['ON', day('INTERNALDATE', 'on')],
  ['SINCE', day('INTERNALDATE', 'since')],
  ['SENTBEFORE', day('SENTDATE', 'before')],
  ['SENTON', day('SENTDATE', 'on')],
  ['SENTSINCE', day('SENTDATE', 'since')],
  ['LARGER', (cursor): SearchKey => ({ type: 'SIZE', test: 'larger', octets: cursor.expectNumber() })],
  ['SMALLER', (cursor): SearchKey => ({ type: 'SIZE', test: 'smaller', octets: cursor.expectNumber() })],
  ['KEYWORD', (cursor): SearchKey => flag(cursor.expectAtom(), true)],
  ['UNKEYWORD', (cursor): SearchKey => flag(cursor.expectAtom(), false)],
  ['UID', (cursor): SearchKey => ({ type: 'UID', set: cursor.expectSet() })],
])

function header(field: string): (cursor: Cursor) => SearchKey {
  return (cursor) => ({ type: 'HEADER', field, text: cursor.expectAString() })
}

/** `"HEADER" SP header-fld-name SP astring` */
function expectHeaderKey(cursor: Cursor): SearchKey {
  const field = cursor.expectAString().toUpperCase()
  cursor.expectSpace()
  return { type: 'HEADER', field, text: cursor.expectAString() }
}

function day(
  type: 'INTERNALDATE' | 'SENTDATE',
  test: 'before' | 'on' | 'since',
): (cursor: Cursor) => SearchKey {
  return (cursor) => ({ type, test, day: expectDate(cursor) })
}

/** A search key that holds no other: a word of the tables above, or a sequence set. */
function expectSimpleKey(cursor: Cursor): SearchKey {
  const next = cursor.text[cursor.at]
  if (next !== undefined && /[0-9*]/.test(next)) return { type: 'SEQUENCE', set: cursor.expectSet() }
  const word = cursor.word()
  const plain = PLAIN_KEYS.get(word)
  if (plain !== undefined) return plain
  const argument = KEYS_WITH_ARGUMENT.get(word)
  if (argument === undefined) throw malformed('Expected a search key')
  cursor.expectSpace()
  return argument(cursor)
}

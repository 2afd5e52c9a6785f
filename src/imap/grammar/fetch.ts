import type { Command, FetchItem, Section } from '../command.js'
import { astring } from '../encode.js'
import type { Cursor } from './cursor.js'
import { malformed } from './cursor.js'

/** The items that are one word. */
const ITEMS: ReadonlyMap<string, FetchItem> = new Map<string, FetchItem>([
  ['ENVELOPE', { type: 'ENVELOPE' }],
  ['FLAGS', { type: 'FLAGS' }],
  ['INTERNALDATE', { type: 'INTERNALDATE' }],
  ['RFC822.SIZE', { type: 'RFC822.SIZE' }],
  ['UID', { type: 'UID' }],
  ['BODY', { type: 'BODYSTRUCTURE', extensible: false }],
  ['BODYSTRUCTURE', { type: 'BODYSTRUCTURE', extensible: true }],
  ['RFC822', whole('RFC822', 'WHOLE', false)],
  ['RFC822.HEADER', whole('RFC822.HEADER', 'HEADER', true)],
  ['RFC822.TEXT', whole('RFC822.TEXT', 'TEXT', false)],
])

function whole(label: string, type: 'WHOLE' | 'HEADER' | 'TEXT', peek: boolean): FetchItem {
  return { type: 'BODY', section: { part: [], text: { type } }, peek, partial: null, label }
}

const FAST = ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']
const MACROS: ReadonlyMap<string, readonly string[]> = new Map([
  ['FAST', FAST],
  ['ALL', [...FAST, 'ENVELOPE']],
  ['FULL', [...FAST, 'ENVELOPE', 'BODY']],
])

/**
 *     fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
 */
export function fetchParser(uid: boolean): (cursor: Cursor) => Command {
  return (cursor) => {
    cursor.expectSpace()
    const set = cursor.expectSet()
    cursor.expectSpace()
    return { name: 'FETCH', uid, set, items: expectItems(cursor) }
  }
}

function expectItems(cursor: Cursor): readonly FetchItem[] {
  if (cursor.take('(')) {
    const items: FetchItem[] = []
    do items.push(expectItem(cursor, cursor.word()))
    while (cursor.take(' '))
    cursor.expect(')')
    return items
  }
  const word = cursor.word()
  const macro = MACROS.get(word)
  return macro === undefined ? [expectItem(cursor, word)] : macro.map((name) => ITEMS.get(name) as FetchItem)
}

/**
 *     fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
 *                 "BODY" ["STRUCTURE"] / "UID" / "BODY" section ["<" number "." nz-number ">"] /
 *                 "BODY.PEEK" section ["<" number "." nz-number ">"]
 */
function expectItem(cursor: Cursor, word: string): FetchItem {
  if ((word === 'BODY' || word === 'BODY.PEEK') && cursor.take('[')) {
    const section = expectSection(cursor)
    cursor.expect(']')
    const partial = cursor.take('<') ? expectPartial(cursor) : null
    const label = `BODY[${spell(section)}]`
    return { type: 'BODY', section, peek: word === 'BODY.PEEK', partial, label }
  }
  const item = ITEMS.get(word)
  if (item === undefined) throw malformed('Expected a FETCH item')
  return item
}

function expectPartial(cursor: Cursor): { readonly offset: number; readonly length: number } {
  const offset = cursor.expectNumber()
  cursor.expect('.')
  const length = cursor.expectNonZero()
  cursor.expect('>')
  return { offset, length }
}

/**
 *     section-spec = section-msgtext / (section-part ["." section-text])
 *     section-part = nz-number *("." nz-number)
 *     section-text = section-msgtext / "MIME"
 */
function expectSection(cursor: Cursor): Section {
  const part: number[] = []
  while (isDigit(cursor.text[cursor.at])) {
    part.push(cursor.expectNonZero())
    if (!cursor.take('.')) return { part, text: { type: 'WHOLE' } }
  }
  if (part.length === 0 && cursor.text[cursor.at] === ']') return { part, text: { type: 'WHOLE' } }
  const word = cursor.word()
  switch (word) {
    case 'HEADER':
    case 'TEXT':
      return { part, text: { type: word } }
    case 'MIME':
      if (part.length === 0) throw malformed('MIME needs a part number')
      return { part, text: { type: word } }
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT':
      return { part, text: { type: word, fields: expectHeaderList(cursor) } }
    default:
      throw malformed('Expected a section')
  }
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9'
}

/** `header-list = "(" header-fld-name *(SP header-fld-name) ")"`; in capitals. */
function expectHeaderList(cursor: Cursor): readonly string[] {
  const fields: string[] = []
  cursor.expectSpace()
  cursor.expect('(')
  do fields.push(cursor.expectAString().toUpperCase())
  while (cursor.take(' '))
  cursor.expect(')')
  return fields
}

function spell({ part, text }: Section): string {
  const number = part.join('.')
  if (text.type === 'WHOLE') return number
  const fields = 'fields' in text ? ` (${text.fields.map(astring).join(' ')})` : ''
  return `${number}${number === '' ? '' : '.'}${text.type}${fields}`
}

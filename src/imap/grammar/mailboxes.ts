import type { Command, StatusItem } from '../command.js'
import type { Cursor } from './cursor.js'
import { malformed } from './cursor.js'
import { decodeMailbox, expectMailbox } from './values.js'

type OneMailbox = 'SELECT' | 'EXAMINE' | 'CREATE' | 'DELETE' | 'SUBSCRIBE' | 'UNSUBSCRIBE'

/** `select = "SELECT" SP mailbox`, and its like. */
export function mailboxParser(name: OneMailbox): (cursor: Cursor) => Command {
  return (cursor) => {
    cursor.expectSpace()
    return { name, mailbox: expectMailbox(cursor) }
  }
}

/** `rename = "RENAME" SP mailbox SP mailbox` */
export function parseRename(cursor: Cursor): Command {
  cursor.expectSpace()
  const from = expectMailbox(cursor)
  cursor.expectSpace()
  return { name: 'RENAME', from, to: expectMailbox(cursor) }
}

/** `list = "LIST" SP mailbox SP list-mailbox`; `lsub` likewise. */
export function listParser(name: 'LIST' | 'LSUB'): (cursor: Cursor) => Command {
  return (cursor) => {
    cursor.expectSpace()
    const reference = expectMailbox(cursor)
    cursor.expectSpace()
    return { name, reference, pattern: decodeMailbox(cursor.expectListMailbox()) }
  }
}

const STATUS_ITEMS: ReadonlySet<string> = new Set(['MESSAGES', 'RECENT', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN'])

function isStatusItem(word: string): word is StatusItem {
  return STATUS_ITEMS.has(word)
}

/** `status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"`; each item once. */
export function parseStatus(cursor: Cursor): Command {
  cursor.expectSpace()
  const mailbox = expectMailbox(cursor)
  cursor.expectSpace()
  cursor.expect('(')
  const items = new Set<StatusItem>()
  do {
    const item = cursor.word()
    if (!isStatusItem(item)) throw malformed('Expected a status item')
    items.add(item)
  } while (cursor.take(' '))
  cursor.expect(')')
  return { name: 'STATUS', mailbox, items: [...items] }
}

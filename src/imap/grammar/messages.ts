import type { Command } from '../command.js'
import type { Cursor } from './cursor.js'
import { malformed } from './cursor.js'
import { expectFlagList, expectFlags, expectMailbox } from './values.js'

/** `copy = "COPY" SP sequence-set SP mailbox`; `move` likewise (RFC 6851 section 5). */
export function transferParser(name: 'COPY' | 'MOVE', uid: boolean): (cursor: Cursor) => Command {
  return (cursor) => {
    cursor.expectSpace()
    const set = cursor.expectSet()
    cursor.expectSpace()
    return { name, uid, set, mailbox: expectMailbox(cursor) }
  }
}

/** `uid-expunge = "UID" SP "EXPUNGE" SP sequence-set` (RFC 4315 section 4) */
export function parseUidExpunge(cursor: Cursor): Command {
  cursor.expectSpace()
  return { name: 'EXPUNGE', uids: cursor.expectSet() }
}

/**
 *     store           = "STORE" SP sequence-set SP store-att-flags
 *     store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
 */
export function storeParser(uid: boolean): (cursor: Cursor) => Command {
  return (cursor) => {
    cursor.expectSpace()
    const set = cursor.expectSet()
    cursor.expectSpace()
    const mode = cursor.take('+') ? 'add' : cursor.take('-') ? 'remove' : 'replace'
    const item = cursor.word()
    if (item !== 'FLAGS' && item !== 'FLAGS.SILENT') throw malformed('Expected FLAGS or FLAGS.SILENT')
    cursor.expectSpace()
    const flags = cursor.text[cursor.at] === '(' ? expectFlagList(cursor) : expectFlags(cursor)
    return { name: 'STORE', uid, set, mode, silent: item === 'FLAGS.SILENT', flags }
  }
}

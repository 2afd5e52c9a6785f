import { describe, expect, test } from 'vitest'
import type { SearchKey } from '../../../src/imap/index.js'
import type { Probe } from '../../../src/imap/session/search-predicate.js'
import { compileSearch } from '../../../src/imap/session/search-predicate.js'
import type { MailStore, MessageWant } from '../../../src/interfaces/index.js'
import { MemoryStore } from '../../../src/storage/memory/index.js'
import { override, TestClient } from './client.js'
import { imapHost } from './host.js'
import { seed } from './mail.js'

const probe: Probe = {
  uid: 7,
  seq: 2,
  flags: ['\\Seen'],
  recent: false,
  info: null,
  headers: null,
  inBody: null,
}
const bounds = { count: 3, largestUid: 9 }
const evaluate = (key: SearchKey): boolean | undefined => compileSearch(key, bounds)?.test(probe)

const seen: SearchKey = { type: 'FLAG', flag: '\\SEEN', set: true }
const body: SearchKey = { type: 'BODY', text: 'x' }
const not = (key: SearchKey): SearchKey => ({ type: 'NOT', key })

describe('compileSearch', () => {
  test.each<[string, SearchKey, boolean | undefined]>([
    ['a flag in any case', seen, true],
    ['what is not known yet', body, undefined],
    ['not what is not known yet', not(body), undefined],
    ['and with something false', { type: 'AND', keys: [body, not(seen)] }, false],
    ['and with something true', { type: 'AND', keys: [body, seen] }, undefined],
    ['or with something true', { type: 'OR', keys: [body, seen] }, true],
    ['or with something false', { type: 'OR', keys: [body, not(seen)] }, undefined],
    ['any text holds nothing', { type: 'BODY', text: '' }, true],
    ['* of numbers', { type: 'SEQUENCE', set: [[Number.POSITIVE_INFINITY, 2]] }, true],
    ['* of UIDs', { type: 'UID', set: [[Number.POSITIVE_INFINITY, 8]] }, false],
    ['a set of many ranges', { type: 'UID', set: Array.from({ length: 9 }, (_, i) => [i + 1, i + 1]) }, true],
  ])('%s', (_, key, expected) => {
    expect(evaluate(key)).toBe(expected)
  })

  test('a text that is not UTF-8 is refused wherever it stands', () => {
    expect(
      compileSearch({ type: 'OR', keys: [seen, not({ type: 'TEXT', text: '\xff' })] }, bounds),
    ).toBeNull()
  })
})

/** A client of a store that notes what is asked of it. */
async function asked() {
  const memory = new MemoryStore()
  await seed(memory, 'mary')
  const questions: { readonly uids: readonly number[]; readonly want: MessageWant }[] = []
  const store: MailStore = override(memory as MailStore, {
    open: (open) => async (user) =>
      override(await open(user), {
        select: (select) => async (name, mode) =>
          override(await select(name, mode), {
            messages: (messages) => (uids, want) => {
              questions.push({ uids, want })
              return messages(uids, want)
            },
          }),
      }),
  })
  const client = new TestClient(imapHost(store).connect())
  await client.command('LOGIN mary mary')
  await client.command('SELECT INBOX')
  return { client, questions }
}

describe('what SEARCH and FETCH ask of the store', () => {
  test.each([
    ['SEARCH UNSEEN 2:* UID 1:9', []],
    ['SEARCH SINCE 2-Jan-2026 SEEN', [{ uids: [2], want: { facts: false } }]],
    ['SEARCH OR SEEN FROM anna', [{ uids: [1, 3, 4], want: { facts: true } }]],
    ['SEARCH BODY x SEEN', [{ uids: [2], want: { facts: true, bodyUpTo: 65_536 } }]],
    ['SEARCH NOT ALL TEXT x', []],
    ['FETCH 1:* (UID FLAGS)', []],
    ['FETCH 1:2 RFC822.SIZE', [{ uids: [1, 2], want: { facts: false } }]],
    ['FETCH 2 (ENVELOPE BODYSTRUCTURE)', [{ uids: [2], want: { facts: true } }]],
    ['FETCH 2 BODY.PEEK[]', [{ uids: [2], want: { facts: false, bodyUpTo: 65_536 } }]],
  ])('%s', async (command, expected) => {
    const { client, questions } = await asked()
    await client.command(command)
    expect(questions).toEqual(expected)
  })
})

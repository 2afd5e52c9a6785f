import { ok, deepStrictEqual as same } from 'node:assert/strict'
import { fails, type StoreTest } from './bench.js'

/** Names: creating, removing, renaming, subscribing. */
export function namesTests(test: StoreTest): void {
  test('an account begins with INBOX and the special-use mailboxes', async ({ account }) => {
    const list = await account.list()
    same(
      list.map((info) => [info.name, info.specialUse]),
      [
        ['Drafts', '\\Drafts'],
        ['INBOX', null],
        ['Junk', '\\Junk'],
        ['Sent', '\\Sent'],
        ['Trash', '\\Trash'],
      ],
    )
    ok(list.every((info) => info.selectable && info.subscribed && !info.hasChildren))
  })

  test('create makes the levels above, and rejects what it must', async ({ account, store }) => {
    const made = await account.create('a/b/c', '\\Archive')
    same([made.name, made.specialUse, made.selectable], ['a/b/c', '\\Archive', true])
    same([(await account.find('a'))?.hasChildren, (await account.find('a/b'))?.hasChildren], [true, true])
    await fails(account.create('a/b/c'), 'exists')
    await fails(account.create('inbox'), 'exists')
    const long = 'x'.repeat(256)
    for (const bad of [
      '',
      '/a',
      'a/',
      'a//b',
      'a\u0000',
      'a\r\nb',
      '\ud800',
      '#news',
      long,
      '1/2/3/4/5/6/7/8/9/10/11',
    ]) {
      await fails(account.create(bad), 'invalidName')
    }
    same(await account.find('nowhere'), null)
    same(store.features.delimiter, '/')
  })

  test('names are kept in NFC, INBOX in any case', async ({ account }) => {
    await account.create('Cafe\u0301')
    same((await account.find('Café'))?.name, 'Caf\u00e9')
    same((await account.find('iNbOx'))?.name, 'INBOX')
    same((await account.create('inbox/work')).name, 'INBOX/work')
    same(await account.find('inBOX2'), null)
  })

  test('remove leaves a level above inferiors, which goes with the last of them', async ({ account }) => {
    await account.create('a/b/c')
    await account.remove('a/b')
    const level = await account.find('a/b')
    same([level?.selectable, level?.hasChildren], [false, true])
    await fails(account.select('a/b', 'read'), 'notFound')
    await fails(account.remove('a/b'), 'hasChildren')
    await account.remove('a/b/c')
    same(await account.find('a/b'), null)
    same((await account.find('a'))?.selectable, true)
    await fails(account.remove('INBOX'), 'forbidden')
    await fails(account.remove('nowhere'), 'notFound')
  })

  test('a level becomes a mailbox by create', async (bench) => {
    await bench.account.create('a/b')
    await bench.account.remove('a')
    const made = await bench.account.create('a')
    same([made.selectable, made.hasChildren], [true, true])
    same(await bench.fill('a', 1), [1])
  })

  test('a mailbox made again has a greater UIDVALIDITY', async (bench) => {
    await bench.account.create('x')
    await bench.fill('x', 2)
    const before = await bench.account.status('x')
    await bench.account.remove('x')
    await bench.account.create('x')
    const after = await bench.account.status('x')
    ok(after.uidValidity > before.uidValidity)
    same([after.messages, after.uidNext], [0, 1])
  })

  test('rename takes the inferiors along, and keeps ids and messages', async (bench) => {
    const { account } = bench
    const { id } = await account.create('a/b')
    await bench.fill('a/b', 1)
    await account.rename('a', 'x/y')
    same((await account.find('x/y/b'))?.id, id)
    same((await account.status('x/y/b')).messages, 1)
    same([await account.find('a'), await account.find('a/b')], [null, null])
    await fails(account.rename('x', 'x/y/z'), 'invalidName')
    await fails(account.rename('x/y', 'INBOX'), 'exists')
    await fails(account.rename('nowhere', 'z'), 'notFound')
    await fails(account.rename('x', '1/2/3/4/5/6/7/8/9'), 'invalidName')
  })

  test('rename of INBOX moves its messages and leaves it, with its inferiors', async (bench) => {
    const { account } = bench
    await account.create('INBOX/sub')
    await bench.fill('INBOX', 3, ['\\Seen'])
    await account.rename('inbox', 'old')
    same([(await account.status('INBOX')).messages, (await account.status('old')).messages], [0, 3])
    same((await bench.snapshot('old')).flags[0], ['\\Seen'])
    same((await account.find('INBOX/sub'))?.selectable, true)
    same(await bench.fill('INBOX', 1), [4])
  })

  test('subscriptions outlive their mailboxes', async ({ account }) => {
    await account.subscribe('later', true)
    const later = (await account.list()).find((info) => info.name === 'later')
    same([later?.subscribed, later?.selectable, later?.id], [true, false, ''])
    await account.create('later')
    same((await account.find('later'))?.subscribed, true)
    await account.remove('later')
    ok((await account.list()).some((info) => info.name === 'later' && !info.selectable))
    await account.subscribe('later', false)
    same(
      (await account.list()).filter((info) => info.name === 'later'),
      [],
    )
  })

  test('sessions of one user see the same names; other users see none', async ({ account, store }) => {
    const second = await store.open('user@example.com')
    const other = await store.open('other@example.com')
    await account.create('shared')
    ok((await second.find('shared')) !== null)
    same(await other.find('shared'), null)
  })
}

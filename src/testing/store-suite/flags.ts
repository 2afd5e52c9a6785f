import { ok, deepStrictEqual as same } from 'node:assert/strict'
import type { Flags } from '../../interfaces/index.js'
import { fails, range, type StoreTest } from './bench.js'

/** Flags and keywords. */
export function flagsTests(test: StoreTest): void {
  test('add, remove and replace tell only what changed', async (bench) => {
    await bench.fill('INBOX', 3)
    const { id: mailbox } = await bench.select('INBOX')
    const set = (mode: 'add' | 'remove' | 'replace', uids: number[], flags: Flags, unchangedSince?: number) =>
      bench.one({
        type: 'setFlags',
        mailbox,
        uids,
        mode,
        flags,
        ...(unchangedSince === undefined ? {} : { unchangedSince }),
      })
    const added = await set('add', [1, 2, 9], ['\\Seen', '$Label', '\\Recent'])
    same([added.changed.map(({ uid }) => uid), added.missing], [[1, 2], [9]])
    same(added.changed[0]?.flags, ['\\Seen', '$Label'])
    same((await set('add', [1], ['\\SEEN', '$LABEL'])).changed, [])
    const removed = await set('remove', [1, 2, 3], ['$label'])
    same(
      removed.changed.map(({ uid, flags }) => [uid, flags]),
      [
        [1, ['\\Seen']],
        [2, ['\\Seen']],
      ],
    )
    const replaced = await set('replace', [3], ['\\Draft', 'b', 'a'])
    same(new Set(replaced.changed[0]?.flags), new Set(['\\Draft', 'b', 'a']))
    same((await bench.account.status('INBOX')).unseen, 1)
    same((await bench.snapshot('INBOX')).keywords, ['$Label', 'b', 'a'])
  })

  test('equal sets are one array', async (bench) => {
    await bench.fill('INBOX', 2, ['x', '\\Seen'])
    await bench.fill('INBOX', 1, ['\\SEEN', 'X'])
    const { flags } = await bench.snapshot('INBOX')
    ok(flags[0] === flags[1] && flags[1] === flags[2])
  })

  test('unchangedSince spares what changed later', async (bench) => {
    await bench.fill('INBOX', 3)
    const { id: mailbox } = await bench.select('INBOX')
    const { highestModSeq } = await bench.snapshot('INBOX')
    await bench.one({ type: 'setFlags', mailbox, uids: [2], mode: 'add', flags: ['\\Seen'] })
    const result = await bench.one({
      type: 'setFlags',
      mailbox,
      uids: [1, 2, 3],
      mode: 'add',
      flags: ['\\Deleted'],
      unchangedSince: highestModSeq,
    })
    same([result.changed.map(({ uid }) => uid), result.modified], [[1, 3], [2]])
  })

  test('a mailbox takes hundreds of keywords, and not without end', async (bench) => {
    await bench.fill('INBOX', 2)
    const { id: mailbox } = await bench.select('INBOX')
    const keywords = range(1, 300).map((n) => `k${n}`)
    const set = (mode: 'add' | 'remove', uids: number[], flags: Flags) =>
      bench.one({ type: 'setFlags', mailbox, uids, mode, flags })
    same((await set('add', [1], keywords)).changed[0]?.flags, keywords)
    same((await set('remove', [1], ['K150', 'k5'])).changed[0]?.flags.length, 298)
    const copied = await bench.one({
      type: 'copy',
      from: mailbox,
      uids: [1],
      to: (await bench.select('Sent')).id,
    })
    same(copied.to, [1])
    same(
      (await bench.snapshot('Sent')).flags[0],
      keywords.filter((k) => k !== 'k150' && k !== 'k5'),
    )
    await fails(
      set(
        'add',
        [2],
        range(1, 20_000).map((n) => `more${n}`),
      ),
      'limit',
    )
    await fails(set('add', [2], ['x'.repeat(5_000)]), 'limit')
    same((await bench.snapshot('INBOX')).flags[1], [])
  })

  test('the first spelling of a keyword stays, in each mailbox its own', async (bench) => {
    await bench.fill('INBOX', 1, ['Work'])
    await bench.fill('Sent', 1, ['other', 'WORK'])
    const inbox = await bench.select('INBOX')
    await bench.one({ type: 'copy', from: inbox.id, uids: [1], to: (await bench.select('Sent')).id })
    same((await bench.snapshot('Sent')).flags[1], ['WORK'])
  })
}

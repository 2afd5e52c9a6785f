import { ok, deepStrictEqual as same } from 'node:assert/strict'
import type { Op } from '../../interfaces/index.js'
import {
  DATE,
  fails,
  range,
  readMessage,
  type StoreTest,
  type StoreUnderTest,
  stageMessage,
} from './bench.js'

/** Many sessions, many messages, and what is left after closing. */
export function sessionsTests(test: StoreTest, under: StoreUnderTest): void {
  test('all ops of an apply happen, or none', async (bench) => {
    await bench.fill('INBOX', 3)
    const inbox = await bench.select('INBOX')
    const sent = await bench.select('Sent')
    const before = await inbox.snapshot()
    const body = await stageMessage(bench.store, 'new')
    const append: Op = { type: 'append', body, to: [{ mailbox: sent.id, flags: [], internalDate: DATE }] }
    const expunge: Op = { type: 'expunge', mailbox: inbox.id, uids: [1, 2] }
    await fails(
      bench.store.apply([append, expunge, { type: 'copy', from: sent.id, uids: [1], to: 'none' }]),
      'notFound',
    )
    same(await inbox.snapshot(), before)
    same((await sent.snapshot()).uids, [])
    const results = await bench.store.apply([
      append,
      { type: 'copy', from: inbox.id, uids: [1], to: sent.id },
      expunge,
    ])
    same(
      results.map(({ type }) => type),
      ['append', 'copy', 'expunge'],
    )
    same([(await sent.snapshot()).uids, (await inbox.snapshot()).uids], [[1, 2], [3]])
  })

  test('the exclusive lock is against others of its kind only', async (bench) => {
    const first = await bench.select('INBOX', 'exclusive')
    await fails(bench.select('INBOX', 'exclusive'), 'inUse')
    await bench.select('INBOX', 'write')
    await bench.fill('INBOX', 1)
    await first.close()
    await first.close()
    await fails(first.snapshot(), 'closed')
    await bench.select('INBOX', 'exclusive')
  })

  test('a mailbox that is removed is gone for those who have it open', async (bench) => {
    await bench.account.create('x')
    await bench.fill('x', 2)
    const open = await bench.select('x')
    await bench.account.remove('x')
    await fails(open.snapshot(), 'notFound')
    await fails(bench.one({ type: 'expunge', mailbox: open.id, uids: [1] }), 'notFound')
  })

  test('many writers at once lose nothing and give no UID twice', async (bench) => {
    const inbox = await bench.select('INBOX')
    const writer = async (n: number): Promise<number[]> => {
      const uids: number[] = []
      for (let i = 0; i < 10; i++) {
        const body = await stageMessage(bench.store, `writer ${n} message ${i}`)
        const result = await bench.one({
          type: 'append',
          body,
          to: [{ mailbox: inbox.id, flags: n % 2 === 0 ? ['\\Seen'] : [], internalDate: DATE }],
        })
        const uid = result.placed[0]?.uid ?? 0
        uids.push(uid)
        if (i % 3 === 0) {
          await bench.one({
            type: 'setFlags',
            mailbox: inbox.id,
            uids: [uid],
            mode: 'add',
            flags: [`w${n}`],
          })
        }
        if (i % 5 === 4) await bench.one({ type: 'expunge', mailbox: inbox.id, uids: [uid] })
      }
      return uids
    }
    const uids = (await Promise.all(range(1, 20).map(writer))).flat()
    same(
      [...uids].sort((a, b) => a - b),
      range(1, 200),
    )
    const snapshot = await inbox.snapshot()
    same(snapshot.uids.length, 160)
    ok(snapshot.modSeqs.every((modSeq) => modSeq <= snapshot.highestModSeq))
    const status = await bench.account.status('INBOX')
    same([status.messages, status.unseen], [160, 80])
  })

  test('one that follows changes sees what one that looks anew sees', async (bench) => {
    await bench.fill('INBOX', 50)
    const inbox = await bench.select('INBOX')
    const start = await inbox.snapshot()
    const view = new Map(start.uids.map((uid, i) => [uid, start.flags[i]]))
    let since = start.highestModSeq
    for (let round = 0; round < 30; round++) {
      await Promise.all([
        bench.fill('INBOX', 1 + (round % 3)),
        bench.one({
          type: 'setFlags',
          mailbox: inbox.id,
          uids: range(round, round + 9).filter((n) => n > 0),
          mode: 'add',
          flags: [`r${round % 7}`],
        }),
        bench.one({ type: 'expunge', mailbox: inbox.id, uids: [round * 2 + 1, round * 2 + 2] }),
      ])
      const changes = await inbox.changes(since)
      ok(changes !== 'expired')
      for (const { uid, flags } of [...changes.added, ...changes.flags]) view.set(uid, flags)
      for (const uid of changes.vanished) view.delete(uid)
      since = changes.upTo
    }
    const end = await inbox.snapshot()
    same(new Map([...view].sort(([a], [b]) => a - b)), new Map(end.uids.map((uid, i) => [uid, end.flags[i]])))
    const again = await inbox.changes(start.highestModSeq)
    ok(again !== 'expired')
    same(
      again.added.map(({ uid }) => uid),
      end.uids.filter((uid) => uid > 50),
    )
  })

  test('thousands are copied, flagged, moved and expunged as one', async (bench) => {
    const count = 3_300
    await bench.fill('INBOX', count)
    const inbox = await bench.select('INBOX')
    const trash = await bench.select('Trash')
    const since = (await inbox.snapshot()).highestModSeq
    const all = range(1, count)
    const [copied, meanwhile] = await Promise.all([
      bench.one({ type: 'copy', from: inbox.id, uids: all, to: trash.id }),
      bench.fill('INBOX', 1),
    ])
    same([copied.to, meanwhile], [all, [count + 1]])
    const odd = all.filter((uid) => uid % 2 === 1)
    const [flagged, follows] = await Promise.all([
      bench.one({
        type: 'setFlags',
        mailbox: inbox.id,
        uids: odd,
        mode: 'add',
        flags: ['\\Deleted', 'big'],
      }),
      bench.one({ type: 'setFlags', mailbox: inbox.id, uids: [1], mode: 'add', flags: ['\\Seen'] }),
    ])
    same([flagged.changed.length, follows.changed.length], [odd.length, 1])
    const expunged = await bench.one({ type: 'expunge', mailbox: inbox.id, uids: odd })
    same(expunged.uids, odd)
    const moved = await bench.store.apply([
      { type: 'setFlags', mailbox: inbox.id, uids: all, mode: 'add', flags: ['\\Seen'] },
      { type: 'copy', from: inbox.id, uids: [2], to: inbox.id },
      { type: 'move', from: inbox.id, uids: all, to: trash.id },
    ])
    ok(moved[2]?.type === 'move' && moved[2].from.length === count / 2)
    same((await inbox.snapshot()).uids, [count + 1, count + 2])
    const end = await trash.snapshot()
    same(end.uids, range(1, count + count / 2))
    same([end.flags[0], end.flags[count]], [[], ['\\Seen']])
    const changes = await inbox.changes(since)
    ok(changes !== 'expired')
    same([changes.added.length, changes.vanished], [2, all])
    same((await bench.account.status('Trash')).messages, count + count / 2)
    same((await readMessage(trash, count + 3)).length, 19)
  })

  test('what was acknowledged is there after closing', async (bench) => {
    await bench.fill('INBOX', 5, ['a', '\\Seen'])
    await bench.account.create('kept/here')
    const inbox = await bench.select('INBOX')
    await bench.one({ type: 'setFlags', mailbox: inbox.id, uids: [2], mode: 'replace', flags: ['b'] })
    await bench.one({ type: 'expunge', mailbox: inbox.id, uids: [3] })
    await inbox.claimRecent()
    const [before, names, status] = [
      await inbox.snapshot(),
      await bench.account.list(),
      await bench.account.status('INBOX'),
    ]
    await bench.store.close()
    await fails(bench.store.open('user@example.com'), 'closed')
    await fails(bench.store.apply([]), 'closed')
    await fails(inbox.snapshot(), 'closed')
    if (under.reopen === undefined) return
    const store = await under.reopen(bench.store)
    try {
      const account = await store.open('user@example.com')
      same(await account.list(), names)
      same(await account.status('INBOX'), status)
      const again = await account.select('INBOX', 'write')
      same(await again.snapshot(), before)
      const changes = await again.changes(1)
      ok(changes !== 'expired')
      same([changes.added.map(({ uid }) => uid), changes.vanished], [[1, 2, 4, 5], [3]])
      same(await again.claimRecent(), 6)
      same((await readMessage(again, 1)).length, 19)
    } finally {
      await store.close()
    }
  })
}

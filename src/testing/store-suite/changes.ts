import { ok, deepStrictEqual as same } from 'node:assert/strict'
import { range, type StoreTest } from './bench.js'

/** Mod-sequences, tombstones, snapshots and what is told of them. */
export function changesTests(test: StoreTest): void {
  test('changes tell additions, flags and expunges after a mod-sequence', async (bench) => {
    await bench.fill('INBOX', 4)
    const inbox = await bench.select('INBOX')
    const { highestModSeq: since } = await inbox.snapshot()
    same(await inbox.changes(since), { added: [], flags: [], vanished: [], upTo: since })
    await bench.one({ type: 'setFlags', mailbox: inbox.id, uids: [1], mode: 'add', flags: ['\\Seen'] })
    await bench.fill('INBOX', 2)
    await bench.one({ type: 'expunge', mailbox: inbox.id, uids: [3, 5] })
    const changes = await inbox.changes(since)
    ok(changes !== 'expired')
    same(
      [changes.added.map(({ uid }) => uid), changes.flags.map(({ uid }) => uid), changes.vanished],
      [[6], [1], [3, 5]],
    )
    same(changes.upTo, (await inbox.snapshot()).highestModSeq)
    const all = await inbox.changes(0)
    ok(all !== 'expired')
    same([all.added.map(({ uid }) => uid), all.flags, all.vanished], [[1, 2, 4, 6], [], [3, 5]])
  })

  test('every commit has a greater mod-sequence; nothing done is no commit', async (bench) => {
    await bench.fill('INBOX', 3)
    const inbox = await bench.select('INBOX')
    const before = (await inbox.snapshot()).highestModSeq
    const results = await Promise.all(
      range(1, 20).map((n) =>
        bench.one({
          type: 'setFlags',
          mailbox: inbox.id,
          uids: [1 + (n % 3)],
          mode: 'add',
          flags: [`k${n}`],
        }),
      ),
    )
    const modSeqs = results.map(({ changed }) => changed[0]?.modSeq ?? 0)
    same(modSeqs, range(before + 1, before + 20))
    const nothing = await bench.one({ type: 'expunge', mailbox: inbox.id, uids: [77] })
    same([nothing.uids, (await inbox.snapshot()).highestModSeq], [[], before + 20])
  })

  test('a snapshot never changes, however many follow', async (bench) => {
    await bench.fill('INBOX', 3)
    const inbox = await bench.select('INBOX')
    const first = await inbox.snapshot()
    ok((await inbox.snapshot()) === first)
    const copy = structuredClone(first)
    await bench.fill('INBOX', 1)
    await bench.one({
      type: 'setFlags',
      mailbox: inbox.id,
      uids: [1, 2],
      mode: 'replace',
      flags: ['\\Seen', 'kw'],
    })
    await inbox.snapshot()
    await bench.one({ type: 'expunge', mailbox: inbox.id, uids: [1, 3] })
    same(first, copy)
    same((await inbox.snapshot()).uids, [2, 4])
  })

  test('watch tells after the commit', async (bench) => {
    const inbox = await bench.select('INBOX')
    const told: number[] = []
    const stop = bench.account.watch((id) => {
      if (id === inbox.id) void inbox.snapshot().then((snapshot) => told.push(snapshot.uids.length))
    })
    bench.account.watch(() => {
      throw new Error('a listener that fails')
    })
    await bench.fill('INBOX', 2)
    await new Promise((resolve) => setTimeout(resolve, 10))
    ok(told.length >= 1 && told.every((count) => count === 2))
    stop()
    await bench.fill('INBOX', 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
    ok(told.every((count) => count === 2))
  })

  test('recent is told to one session', async (bench) => {
    await bench.fill('INBOX', 2)
    same((await bench.account.status('INBOX')).recent, 2)
    const looking = await bench.select('INBOX', 'read')
    same([await looking.claimRecent(), await looking.claimRecent()], [1, 1])
    const writing = await bench.select('INBOX')
    const others = await bench.select('INBOX')
    same(await Promise.all([writing.claimRecent(), others.claimRecent()]), [1, 3])
    same((await bench.account.status('INBOX')).recent, 0)
    await bench.fill('INBOX', 1)
    same([(await bench.account.status('INBOX')).recent, await others.claimRecent()], [1, 3])
  })
}

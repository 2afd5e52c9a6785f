import { ok, rejects, deepStrictEqual as same } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { isMailError } from '../../core/index.js'
import { DATE, fails, plainFacts, range, readMessage, type StoreTest, stageMessage } from './bench.js'

/** Messages: appending, reading, copying, moving. */
export function messagesTests(test: StoreTest): void {
  test('append gives ascending UIDs and mod-sequences, and tells them', async (bench) => {
    const { account, store } = bench
    const inbox = await account.find('INBOX')
    const sent = await account.find('Sent')
    const before = await account.status('INBOX')
    same([before.uidNext, before.highestModSeq, before.messages], [1, 1, 0])
    const body = await stageMessage(store, 'Subject: one\r\n\r\nbody\r\n')
    const result = await bench.one({
      type: 'append',
      body,
      to: [
        { mailbox: inbox?.id ?? '', flags: ['\\seen', 'Work'], internalDate: DATE },
        { mailbox: sent?.id ?? '', flags: [], internalDate: DATE + 1 },
      ],
    })
    same(result.placed[0], { mailbox: inbox?.id, uidValidity: before.uidValidity, uid: 1, modSeq: 2 })
    same(result.placed[1]?.uid, 1)
    same(await bench.fill('INBOX', 2), [2, 3])
    const snapshot = await bench.snapshot('INBOX')
    same([snapshot.uids, snapshot.uidNext], [[1, 2, 3], 4])
    same(snapshot.flags[0], ['\\Seen', 'Work'])
    same(snapshot.keywords, ['Work'])
    const status = await account.status('inbox')
    same([status.messages, status.unseen, status.size], [3, 2, 22 + 2 * 19])
    const mailbox = await bench.select('INBOX', 'read')
    same((await readMessage(mailbox, 1)).toString(), 'Subject: one\r\n\r\nbody\r\n')
  })

  test('seal puts the prefix first; facts come back as they were', async (bench) => {
    const staged = await bench.store.stage()
    await staged.write(Buffer.from('Subject: x\r\n'))
    await staged.write(Buffer.from('\r\nbody'))
    const facts = plainFacts(25, 'Gr\u00fc\u00dfe \u0001 "x"')
    const body = await staged.seal(facts, Buffer.from('Trace: y\r\n'))
    same(body.size, 28)
    const mailbox = await bench.select('INBOX')
    await bench.one({ type: 'append', body, to: [{ mailbox: mailbox.id, flags: [], internalDate: DATE }] })
    same((await readMessage(mailbox, 1)).toString(), 'Trace: y\r\nSubject: x\r\n\r\nbody')
    for await (const [info] of mailbox.messages([1], { facts: true, bodyUpTo: 1000 })) {
      same([info?.uid, info?.size, info?.internalDate], [1, 28, DATE])
      same(info?.facts, facts)
      same(info?.body?.length, 28)
    }
  })

  test('messages leaves out what is not asked for, not there, or too large', async (bench) => {
    await bench.fill('INBOX', 1_200)
    const mailbox = await bench.select('INBOX')
    await bench.one({ type: 'expunge', mailbox: mailbox.id, uids: [2] })
    const seen: number[] = []
    for await (const block of mailbox.messages([...range(1, 1_200), 5_000], { bodyUpTo: 5 })) {
      ok(block.length <= 500)
      for (const info of block) {
        seen.push(info.uid)
        same([info.facts, info.body], [null, null])
      }
    }
    same(seen, [1, ...range(3, 1_200)])
  })

  test('a large message comes back octet for octet, also in ranges', async (bench) => {
    const octets = Buffer.alloc(1_000_003)
    for (let i = 0; i < octets.length; i++) octets[i] = (i * 31 + (i >> 8)) & 255
    const staged = await bench.store.stage(octets.length)
    for (let at = 0; at < octets.length; at += 70_001) await staged.write(octets.subarray(at, at + 70_001))
    const prefix = Buffer.from('Received: here\r\n')
    const body = await staged.seal(plainFacts(octets.length + prefix.length), prefix)
    const whole = Buffer.concat([prefix, octets])
    same(body.size, whole.length)
    const mailbox = await bench.select('INBOX')
    await bench.one({ type: 'append', body, to: [{ mailbox: mailbox.id, flags: [], internalDate: DATE }] })
    ok(whole.equals(await readMessage(mailbox, 1)))
    for (const [from, to] of [
      [0, 1],
      [10, 20],
      [15, 17],
      [16, 17],
      [262_159, 262_161],
      [300_000, 900_000],
      [1_000_000, 9_000_000],
      [5_000_000, 6_000_000],
    ] as const) {
      ok(whole.subarray(from, to).equals(await readMessage(mailbox, 1, from, to)))
    }
    for await (const [info] of mailbox.messages([1], { bodyUpTo: 2_000_000 })) {
      ok(whole.equals(Buffer.from(info?.body ?? [])))
    }
  })

  test('20 MB pass through without being held whole', async (bench) => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const staged = await bench.store.stage()
    const digest = createHash('sha256')
    for (let i = 0; i < 320; i++) {
      chunk.writeUInt32BE(i)
      digest.update(chunk)
      await staged.write(Buffer.from(chunk))
    }
    const body = await staged.seal(plainFacts(320 * chunk.length))
    const mailbox = await bench.select('INBOX')
    await bench.one({ type: 'append', body, to: [{ mailbox: mailbox.id, flags: [], internalDate: DATE }] })
    const read = createHash('sha256')
    for await (const piece of mailbox.read(1)) {
      ok(piece.length <= 1024 * 1024)
      read.update(piece)
    }
    same(read.digest('hex'), digest.digest('hex'))
  })

  test('what is too large is refused, and nothing of it stays', async (bench) => {
    const { store } = bench
    const { maxMessageSize } = store.features
    await fails(store.stage(maxMessageSize + 1), 'tooLarge')
    const staged = await store.stage()
    const chunk = Buffer.alloc(8 * 1024 * 1024)
    for (let sent = 0; sent <= maxMessageSize; sent += chunk.length) await staged.write(chunk)
    await fails(staged.seal(plainFacts(0)), 'tooLarge')
    const aborted = await store.stage()
    await aborted.write(Buffer.alloc(400_000))
    await aborted.abort()
    await aborted.abort()
    same((await bench.account.status('INBOX')).messages, 0)
  })

  test('a discarded body cannot be appended; an appended one can again', async (bench) => {
    const mailbox = await bench.select('INBOX')
    const to = [{ mailbox: mailbox.id, flags: [], internalDate: DATE }]
    const gone = await stageMessage(bench.store, 'x')
    await gone.discard()
    await fails(bench.one({ type: 'append', body: gone, to }), 'notFound')
    for (const size of [10, 100_000]) {
      const body = await stageMessage(bench.store, 'y'.repeat(size))
      const first = await bench.one({ type: 'append', body, to })
      await bench.one({ type: 'expunge', mailbox: mailbox.id, uids: [first.placed[0]?.uid ?? 0] })
      await new Promise((resolve) => setTimeout(resolve, 30))
      const again = await bench.one({ type: 'append', body, to })
      same((await readMessage(mailbox, again.placed[0]?.uid ?? 0)).length, size)
    }
  })

  test('copies share nothing that an expunge takes away', async (bench) => {
    const inbox = await bench.select('INBOX')
    const sent = await bench.select('Sent')
    for (const size of [30, 200_000]) {
      const body = await stageMessage(bench.store, 'z'.repeat(size))
      const to = [{ mailbox: inbox.id, flags: ['\\Flagged', 'Key'], internalDate: DATE }]
      const placed = await bench.one({ type: 'append', body, to })
      await body.discard()
      const uid = placed.placed[0]?.uid ?? 0
      const copied = await bench.one({ type: 'copy', from: inbox.id, uids: [uid, uid + 9], to: sent.id })
      same(copied.from, [uid])
      await bench.one({ type: 'expunge', mailbox: inbox.id, uids: [uid] })
      await new Promise((resolve) => setTimeout(resolve, 30))
      same((await readMessage(sent, copied.to[0] ?? 0)).length, size)
      const snapshot = await sent.snapshot()
      same(snapshot.flags[snapshot.flags.length - 1], ['\\Flagged', 'Key'])
      await rejects(readMessage(inbox, uid), (error) => isMailError(error) && error.kind === 'expunged')
    }
  })

  test('move is a copy and an expunge in one, also within one mailbox', async (bench) => {
    await bench.fill('INBOX', 4)
    const inbox = await bench.select('INBOX')
    const trash = await bench.select('Trash')
    const moved = await bench.one({ type: 'move', from: inbox.id, uids: [2, 4], to: trash.id })
    same([moved.from, moved.to, moved.uidValidity], [[2, 4], [1, 2], trash.uidValidity])
    same((await inbox.snapshot()).uids, [1, 3])
    const within = await bench.one({ type: 'move', from: inbox.id, uids: [1, 3], to: inbox.id })
    same(
      [within.from, within.to],
      [
        [1, 3],
        [5, 6],
      ],
    )
    same((await inbox.snapshot()).uids, [5, 6])
    same((await readMessage(inbox, 5)).toString(), 'message for INBOX\r\n')
  })
}

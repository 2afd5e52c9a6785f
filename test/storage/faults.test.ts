import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Account, Mailbox, Op } from '../../src/interfaces/index.js'
import { type SqlStore, sqlDrivers } from '../../src/storage/index.js'
import { DiskFiles } from '../../src/storage/messages/disk-files.js'
import { openStoreOn } from '../../src/storage/sql/sql-store.js'
import { FaultyDisk } from '../../src/testing/faulty-driver.js'
import { plainFacts, readMessage, stageMessage } from '../../src/testing/store-suite.js'
import { availableDrivers } from './drivers.js'
import { FaultyFiles } from './faulty-files.js'
import { temporaryFolders } from './folders.js'
import { expectSound, segmentFiles, storedContents } from './invariants.js'

const newFolder = temporaryFolders()

interface House {
  readonly folder: string
  readonly disk: FaultyDisk
  readonly files: FaultyFiles
  readonly store: SqlStore
  readonly account: Account
  readonly inbox: Mailbox
  readonly append: (text: string, mailbox?: Mailbox, times?: number) => Promise<number[]>
}

async function open(driver: keyof typeof sqlDrivers, folder = newFolder()): Promise<House> {
  const disk = new FaultyDisk(sqlDrivers[driver])
  const files = new FaultyFiles(new DiskFiles(join(folder, 'messages')))
  const store = await openStoreOn({ files }, { path: folder, driver: disk.open })
  const account = await store.open('user')
  const inbox = await account.select('INBOX', 'write')
  const append = async (text: string, { id } = inbox, times = 1): Promise<number[]> => {
    const body = await stageMessage(store, text)
    const to = Array.from({ length: times }, () => ({ mailbox: id, flags: [], internalDate: 0 }))
    const [result] = await store.apply([{ type: 'append', body, to }])
    return result?.type === 'append' ? result.placed.map(({ uid }) => uid) : []
  }
  return { folder, disk, files, store, account, inbox, append }
}

async function texts(mailbox: Mailbox): Promise<string[]> {
  const { uids } = await mailbox.snapshot()
  return Promise.all(uids.map(async (uid) => (await readMessage(mailbox, uid)).toString()))
}

const range = (count: number, step = 1): number[] => Array.from({ length: count }, (_, i) => 1 + i * step)

for (const driver of availableDrivers) {
  describe(`a failing disk under ${driver}`, () => {
    it('a commit that fails is told as a full disk, and everything goes on afterwards', async () => {
      const { folder, disk, files, store, inbox, append } = await open(driver)
      await append('first')
      files.fail('write', 'ENOSPC', 1)
      const failed = await Promise.allSettled([append('a'), append('b'), append('c')])
      for (const result of failed) expect(result).toMatchObject({ reason: { kind: 'diskFull' } })
      expect(await texts(inbox)).toEqual(['first'])
      expect(await append('second')).toEqual([2])
      // A long one is SQLite's to commit; those that are not go on.
      disk.fail(/^COMMIT/, 'ENOSPC')
      await expect(append('many', inbox, 100)).rejects.toMatchObject({ kind: 'diskFull' })
      expect(await append('third')).toEqual([3])
      expect(await texts(inbox)).toEqual(['first', 'second', 'third'])
      disk.heal()
      expect(await append('many', inbox, 100)).toHaveLength(100)
      await store.close()
      const again = await open(driver, folder)
      expect((await texts(again.inbox)).slice(0, 4)).toEqual(['first', 'second', 'third', 'many'])
      await again.store.close()
      await expectSound(folder)
    })

    it('what SQLite cannot commit at the end is redone at the next start', async () => {
      const { folder, disk, store, inbox, append } = await open(driver)
      await append('first')
      await store.apply([
        { type: 'setFlags', mailbox: inbox.id, uids: [1], mode: 'add', flags: ['\\Seen', 'kw'] },
      ])
      await append('second', inbox, 2)
      await store.apply([{ type: 'expunge', mailbox: inbox.id, uids: [2] }])
      const before = await inbox.snapshot()
      // What was expunged has been collected, which SQLite commits at once.
      await new Promise((resolve) => setTimeout(resolve, 50))
      disk.fail(/^COMMIT/, 'ENOSPC')
      await append('third')
      await store.close()
      const again = await open(driver, folder)
      expect(await again.inbox.snapshot()).toEqual({
        ...before,
        uids: [1, 3, 4],
        flags: [...before.flags, []],
        highestModSeq: before.highestModSeq + 1,
        modSeqs: [...before.modSeqs, before.highestModSeq + 1],
        uidNext: 5,
      })
      expect(await texts(again.inbox)).toEqual(['first', 'second', 'third'])
      expect(await again.store.check(true)).toEqual([])
      await again.store.close()
      await expectSound(folder)
    })

    it('a transaction that SQLite gives up is made again, as soon as it can be', async () => {
      const { folder, disk, store, inbox, append } = await open(driver)
      await append('first')
      await append('second')
      // What is redone fails, too, and whatever is read.
      disk.fail(/^INSERT INTO msg/, 'EIO')
      await expect(append('lost')).rejects.toMatchObject({ kind: 'unavailable' })
      await expect(readMessage(inbox, 1)).rejects.toMatchObject({ kind: 'unavailable' })
      await expect(append('lost')).rejects.toMatchObject({ kind: 'unavailable' })
      disk.heal()
      expect(await texts(inbox)).toEqual(['first', 'second'])
      expect(await append('third')).toEqual([3])
      await store.close()
      const again = await open(driver, folder)
      expect(await texts(again.inbox)).toEqual(['first', 'second', 'third'])
      await again.store.close()
      await expectSound(folder)
    })

    it('one job that fails harms nobody who shares its commit', async () => {
      const { folder, disk, store, inbox, append } = await open(driver)
      disk.fail(/^INSERT INTO msg/, 'EIO', 1)
      const results = await Promise.allSettled([append('a'), append('b'), append('c')])
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
      expect(results[0]).toMatchObject({ reason: { kind: 'unavailable' } })
      expect(await texts(inbox)).toEqual(['b', 'c'])
      // Now those who were done before it are done once more.
      disk.fail(/^INSERT INTO expunged/, 'EIO', 1)
      const mixed = await Promise.allSettled([
        append('d'),
        store.apply([{ type: 'expunge', mailbox: inbox.id, uids: [1] }]),
        append('e'),
      ])
      expect(mixed.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(await texts(inbox)).toEqual(['b', 'c', 'd', 'e'])
      await store.close()
      await expectSound(folder)
    })

    it('a transaction that cannot begin fails all who wait', async () => {
      const { disk, store, inbox, append } = await open(driver)
      disk.fail(/^BEGIN/, 'EIO', 1)
      await expect(append('a')).rejects.toMatchObject({ kind: 'unavailable' })
      await append('b')
      expect(await texts(inbox)).toEqual(['b'])
      await store.close()
    })

    it('flags and expunges that were not committed are not seen', async () => {
      const { folder, disk, files, store, account, inbox, append } = await open(driver)
      await append('x', inbox, 5)
      const before = await inbox.snapshot()
      const status = await account.status('INBOX')
      disk.fail(/^COMMIT/, 'EIO')
      files.fail('write', 'EIO')
      const failed = await Promise.allSettled([
        store.apply([
          { type: 'setFlags', mailbox: inbox.id, uids: [1, 2], mode: 'add', flags: ['\\Seen', 'kw'] },
        ]),
        store.apply([{ type: 'expunge', mailbox: inbox.id, uids: [3] }]),
        append('y'),
        account.create('a/b'),
        account.remove('Trash'),
        account.rename('Sent', 'Gone'),
        account.subscribe('z', true),
      ])
      expect(failed.every(({ status }) => status === 'rejected')).toBe(true)
      const { keywords, ...after } = await inbox.snapshot()
      expect(after).toEqual({ ...before, keywords: undefined })
      expect(keywords.length).toBeLessThan(2)
      expect(await account.status('INBOX')).toEqual(status)
      expect((await account.list()).map(({ name }) => name)).toEqual([
        'Drafts',
        'INBOX',
        'Junk',
        'Sent',
        'Trash',
      ])
      disk.heal()
      files.heal()
      await account.remove('Trash')
      await account.create('a/b')
      await store.apply([{ type: 'expunge', mailbox: inbox.id, uids: [3] }])
      expect((await inbox.snapshot()).uids).toEqual([1, 2, 4, 5])
      expect(await inbox.changes(before.highestModSeq)).toMatchObject({ vanished: [3], added: [], flags: [] })
      await store.close()
      await expectSound(folder)
    })

    it('one expunge that fails beside others is read again', async () => {
      const { folder, disk, store, inbox, append } = await open(driver)
      await append('x', inbox, 6)
      await inbox.snapshot()
      const more = await stageMessage(store, 'more')
      disk.fail(/^INSERT INTO msg/, 'EIO', 1)
      const expunge = (uid: number): Op => ({ type: 'expunge', mailbox: inbox.id, uids: [uid] })
      const appendMore: Op = {
        type: 'append',
        body: more,
        to: [{ mailbox: inbox.id, flags: [], internalDate: 0 }],
      }
      const results = await Promise.allSettled(
        [[expunge(1), appendMore], [expunge(2)], [expunge(3)]].map((ops) => store.apply(ops)),
      )
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
      expect((await inbox.snapshot()).uids).toEqual([1, 4, 5, 6])
      await store.close()
      await expectSound(folder)
    })

    it('a large message that the disk refuses is told at seal, and leaves nothing', async () => {
      const { folder, files, store, append } = await open(driver)
      for (const call of ['create', 'write'] as const) {
        files.fail(call, 'ENOSPC', 1)
        const staged = await store.stage()
        for (let i = 0; i < 10; i++) await staged.write(Buffer.alloc(300_000))
        await expect(staged.seal(plainFacts(3_000_000))).rejects.toMatchObject({ kind: 'diskFull' })
      }
      const aborted = await store.stage()
      for (let i = 0; i < 4; i++) await aborted.write(Buffer.alloc(300_000))
      await aborted.abort()
      expect(await append('z'.repeat(600_000))).toEqual([1])
      await expect.poll(() => segmentFiles(folder)).toHaveLength(1)
      await store.close()
      await expectSound(folder)
      expect(await storedContents(folder)).toEqual({ contents: 1, segments: 1 })
    })

    it('a large message that cannot be committed leaves nothing when it is let go', async () => {
      const { folder, disk, store, inbox } = await open(driver)
      const body = await stageMessage(store, 'x'.repeat(600_000))
      const to = [{ mailbox: inbox.id, flags: [], internalDate: 0 }]
      disk.fail(/^COMMIT/, 'ENOSPC', 1)
      await expect(store.apply([{ type: 'append', body, to }])).rejects.toMatchObject({ kind: 'diskFull' })
      expect(segmentFiles(folder)).toEqual([1])
      await body.discard()
      await expect.poll(() => segmentFiles(folder)).toEqual([])
      await store.close()
      await expectSound(folder)
    })

    it('a write of the message log that fails is told to those who were in it, and to nobody else', async () => {
      const { folder, files, store, inbox, append } = await open(driver)
      await append('first')
      for (const [code, kind] of [
        ['ENOSPC', 'diskFull'],
        ['EIO', 'unavailable'],
      ] as const) {
        files.fail('write', code, 1)
        const failed = await Promise.allSettled([append('a'), append('b')])
        for (const each of failed) expect(each).toMatchObject({ reason: { kind } })
        // Two records, and the redo record of their commit.
        expect(files.pieces.at(-1)).toBe(3)
        await append(`after ${code}`)
      }
      expect(await texts(inbox)).toEqual(['first', 'after ENOSPC', 'after EIO'])
      files.fail('create', 'ENOSPC', 1)
      files.fail('write', 'ENOSPC', 1)
      await expect(append('c')).rejects.toMatchObject({ kind: 'diskFull' })
      files.fail('create', 'ENOSPC', 1)
      await expect(append('d')).rejects.toMatchObject({ kind: 'diskFull' })
      expect(await append('last')).toEqual([4])
      // What waited in memory for those that failed is used for others, each for one.
      await Promise.all([append('x'), append('y'), append('z')])
      expect((await texts(inbox)).slice(4)).toEqual(['x', 'y', 'z'])
      expect(await store.check(true)).toEqual([])
      await store.close()
      await expectSound(folder)
    })

    it.each([
      ['small', 10],
      ['large', 600_000],
    ])(
      'a sync of a %s message that fails is the last: nothing is known of what is on the disk',
      async (_, size) => {
        const { folder, files, store, inbox, append } = await open(driver)
        await append('first')
        files.fail('sync', 'EIO', 1)
        const lost = { kind: 'unavailable', message: expect.stringContaining('may have lost mail') }
        await expect(append('x'.repeat(size))).rejects.toMatchObject(lost)
        await expect(append('second')).rejects.toMatchObject(lost)
        await expect(append('x'.repeat(600_000))).rejects.toMatchObject(lost)
        await expect(inbox.snapshot()).rejects.toMatchObject(lost)
        await store.close()
        const again = await open(driver, folder)
        // The other may be found, as it was written: nobody was told that it was not.
        expect(['first', 'x'.repeat(size)].join()).toContain((await texts(again.inbox)).join())
        await again.store.close()
        await expectSound(folder)
      },
    )

    it('a large copy that fails half-way leaves its target as it was, and usable', async () => {
      const { folder, disk, store, account, inbox, append } = await open(driver)
      await append('x', inbox, 2_500)
      const trash = await account.select('Trash', 'write')
      const before = await trash.snapshot()
      const copy = () => store.apply([{ type: 'copy', from: inbox.id, uids: range(2_500), to: trash.id }])
      disk.fail(/^INSERT INTO msg.*SELECT/s, 'ENOSPC')
      await expect(copy()).rejects.toMatchObject({ kind: 'diskFull' })
      expect(await trash.snapshot()).toEqual(before)
      disk.heal()
      expect(await append('new', trash)).toEqual([1])
      disk.fail(/^COMMIT/, 'EIO', 2)
      await expect(copy()).rejects.toMatchObject({ kind: 'unavailable' })
      expect((await trash.snapshot()).uids).toEqual([1])
      disk.heal()
      await copy()
      expect((await trash.snapshot()).uids).toEqual(range(2_501))
      await store.close()
      await expectSound(folder)
    })

    it('a large expunge is done once decided, however long the disk takes', async () => {
      const { folder, disk, store, account, inbox, append } = await open(driver)
      await append('x', inbox, 2_500)
      const { highestModSeq } = await inbox.snapshot()
      disk.fail(/^DELETE FROM msg/, 'EIO')
      const odd = range(1_250, 2)
      await store.apply([{ type: 'expunge', mailbox: inbox.id, uids: odd }])
      expect((await inbox.snapshot()).uids.length).toBe(1_250)
      expect((await account.status('INBOX')).messages).toBe(1_250)
      expect(await append('meanwhile')).toEqual([2_501])
      const waiting = store.apply([{ type: 'expunge', mailbox: inbox.id, uids: [2] }])
      expect(await inbox.changes(highestModSeq)).toMatchObject({ vanished: odd })
      expect(await inbox.changes(1)).toMatchObject({ vanished: odd })
      disk.heal()
      await waiting
      expect((await inbox.snapshot()).uids.length).toBe(1_250)
      await store.close()
      await expectSound(folder)
    })

    it('what a closed store left of a large change is done at the next start', async () => {
      const { folder, disk, store, inbox, append } = await open(driver)
      await append('x', inbox, 2_500)
      disk.fail(/^(DELETE FROM msg|UPDATE msg)/, 'EIO')
      await store.apply([
        { type: 'setFlags', mailbox: inbox.id, uids: range(1_250, 2), mode: 'add', flags: ['\\Seen', 'kw'] },
        { type: 'expunge', mailbox: inbox.id, uids: range(1_250, 2).map((uid) => uid + 1) },
      ])
      const decided = await inbox.snapshot()
      await store.close()
      const again = await open(driver, folder)
      expect(await again.inbox.snapshot()).toEqual(decided)
      expect(decided.uids).toEqual(range(1_250, 2))
      await again.store.close()
      await expectSound(folder)
    })

    it('whatever fails at random, exactly what was acknowledged is there', async () => {
      const { folder, disk, files, store, inbox, append } = await open(driver)
      const there = new Map<number, string>()
      let seed = 7
      const random = (below: number): number => {
        seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
        return (seed >> 8) % below
      }
      const patterns = [
        /^COMMIT/,
        /^INSERT INTO (msg|content|cref|segment)/,
        /^UPDATE/,
        /^DELETE/,
        /^RELEASE/,
        /^SAVEPOINT/,
        /^BEGIN/,
      ]
      const calls = ['write', 'create', 'remove'] as const
      let failures = 0
      for (let round = 0; round < 60; round++) {
        disk.fail(
          patterns[random(patterns.length)] ?? /^COMMIT/,
          random(2) === 0 ? 'ENOSPC' : 'EIO',
          1 + random(2),
        )
        if (round % 3 === 0) files.fail(calls[random(calls.length)] ?? 'write', 'ENOSPC', 1 + random(2))
        const victims = [...there.keys()].filter((_, i) => i % 5 === round % 5).slice(0, 3)
        await Promise.all([
          ...range(5).map(async (n) => {
            const text = `${round}.${n}`
            const uid = (await append(text).catch(() => []))[0]
            if (uid === undefined) failures++
            else there.set(uid, text)
          }),
          ...victims.map(async (uid) => {
            const gone = await store
              .apply([{ type: 'expunge', mailbox: inbox.id, uids: [uid] }])
              .catch(() => null)
            if (gone !== null) there.delete(uid)
          }),
        ])
        disk.heal()
        files.heal()
        expect((await inbox.snapshot()).uids).toEqual([...there.keys()].sort((a, b) => a - b))
      }
      expect(failures).toBeGreaterThan(20)
      await store.close()
      const again = await open(driver, folder)
      const expected = [...there].sort(([a], [b]) => a - b).map(([, text]) => text)
      expect(await texts(again.inbox)).toEqual(expected)
      await again.store.close()
      await expectSound(folder)
    })
  })
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SequenceSet } from '../../../src/imap/index.js'
import { MailboxView, STAR } from '../../../src/imap/index.js'
import type { Changes, Flags, Snapshot } from '../../../src/interfaces/index.js'

function snapshot(uids: readonly number[], flags: readonly Flags[] = uids.map(() => [])): Snapshot {
  return {
    uidValidity: 1,
    uidNext: (uids.at(-1) ?? 0) + 1,
    highestModSeq: 1,
    uids,
    flags,
    modSeqs: uids.map(() => 1),
    keywords: [],
  }
}

function changes(some: {
  added?: readonly (readonly [number, Flags])[]
  flags?: readonly (readonly [number, Flags])[]
  vanished?: readonly number[]
}): Changes {
  const rows = (list: readonly (readonly [number, Flags])[] = []) =>
    list.map(([uid, flags]) => ({ uid, flags, modSeq: 2 }))
  return { added: rows(some.added), flags: rows(some.flags), vanished: some.vanished ?? [], upTo: 2 }
}

describe('a view', () => {
  it('tells the expunges of RFC 3501 section 7.4.1 as that section does', () => {
    const view = new MailboxView(snapshot([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]))
    view.note(changes({ vanished: [3, 4, 7, 11] }))
    expect(view.release({ expunges: true })).toEqual([
      { type: 'expunge', seq: 3, uid: 3 },
      { type: 'expunge', seq: 3, uid: 4 },
      { type: 'expunge', seq: 5, uid: 7 },
      { type: 'expunge', seq: 8, uid: 11 },
    ])
    expect(view.count).toBe(7)
  })

  it('keeps the numbers of expunged messages until they may be told', () => {
    const view = new MailboxView(snapshot([10, 20, 30]))
    view.note(changes({ vanished: [10], added: [[40, []]] }))
    expect(view.count).toBe(3)
    expect(view.release({ expunges: false })).toEqual([{ type: 'exists', count: 4, recent: 0 }])
    expect(view.isExpunged(10)).toBe(true)
    expect(view.resolve([[1, STAR]], false)).toEqual([10, 20, 30, 40])
    expect(view.release({ expunges: true })).toEqual([{ type: 'expunge', seq: 1, uid: 10 }])
    expect(view.isExpunged(10)).toBe(false)
    expect(view.resolve([[1, STAR]], false)).toEqual([20, 30, 40])
    expect(view.release({ expunges: true })).toEqual([])
  })

  it('tells expunges first, then what is there, then flags', () => {
    const view = new MailboxView(snapshot([1, 2, 3]))
    view.note(changes({ flags: [[3, ['\\Seen']]], vanished: [1], added: [[4, ['\\Draft']]] }))
    expect(view.release({ expunges: true })).toEqual([
      { type: 'expunge', seq: 1, uid: 1 },
      { type: 'exists', count: 3, recent: 0 },
      { type: 'flags', seq: 2, uid: 3, flags: ['\\Seen'] },
    ])
    expect(view.flagsOf(4)).toEqual(['\\Draft'])
  })

  it('never tells of a message that came and went in between', () => {
    const view = new MailboxView(snapshot([]))
    view.note(changes({ added: [[5, []]] }))
    view.note(changes({ vanished: [5] }))
    expect(view.release({ expunges: true })).toEqual([])
  })

  it('tells no flags that the client set itself, nor the same ones twice', () => {
    const view = new MailboxView(snapshot([1, 2]))
    view.told(1, ['\\Seen', '$A'])
    view.note(changes({ flags: [[1, ['$a', '\\Seen']]] }))
    expect(view.release({ expunges: true })).toEqual([])
    view.note(changes({ flags: [[1, []]] }))
    expect(view.release({ expunges: true })).toEqual([{ type: 'flags', seq: 1, uid: 1, flags: [] }])
    expect(view.release({ expunges: true })).toEqual([])
  })

  it('knows which numbers a client may use', () => {
    const view = new MailboxView(snapshot([10, 20]))
    expect(view.covers([[1, STAR]])).toBe(true)
    expect(view.covers([[3, 3]])).toBe(false)
    expect(view.covers([[3, STAR]])).toBe(false)
    expect(new MailboxView(snapshot([])).covers([[STAR, STAR]])).toBe(false)
  })

  it('takes 3291:* to mean the last message (RFC 3501 section 9, seq-range)', () => {
    const view = new MailboxView(snapshot([10, 20]))
    expect(view.resolve([[3291, STAR]], true)).toEqual([20])
    expect(new MailboxView(snapshot([])).resolve([[1, STAR]], true)).toEqual([])
  })

  it('marks what has come since the last claim as recent', () => {
    const view = new MailboxView(snapshot([1, 2, 3]))
    view.markRecent(3)
    expect([1, 2, 3].map((uid) => view.isRecent(uid))).toEqual([false, false, true])
    view.note(changes({ added: [[4, []]] }))
    view.markRecent(5)
    view.note(changes({ added: [[5, []]] }))
    view.markRecent(5)
    expect(view.release({ expunges: true })).toEqual([{ type: 'exists', count: 5, recent: 2 }])
    expect(view.isRecent(4)).toBe(false)
    view.note(changes({ vanished: [3] }))
    view.release({ expunges: true })
    expect(view.recentCount).toBe(1)
  })

  it('finds the first unseen message, flags heard of included', () => {
    const view = new MailboxView(snapshot([1, 2], [['\\Seen'], []]))
    expect(view.firstUnseen()).toBe(2)
    view.note(changes({ flags: [[2, ['\\Seen']]] }))
    expect(view.firstUnseen()).toBe(null)
  })

  it('catches up from a snapshot where the store has forgotten the changes', () => {
    const view = new MailboxView(snapshot([1, 2, 3]))
    view.note(changes({ added: [[4, []]] }))
    view.noteSnapshot(snapshot([2, 3, 5], [[], ['\\Seen'], []]))
    expect(view.release({ expunges: true })).toEqual([
      { type: 'expunge', seq: 1, uid: 1 },
      { type: 'exists', count: 3, recent: 0 },
      { type: 'flags', seq: 2, uid: 3, flags: ['\\Seen'] },
    ])
    expect(view.resolve([[1, STAR]], true)).toEqual([2, 3, 5])
  })

  it('leaves the snapshot as it was', () => {
    const shared = snapshot(Object.freeze([1, 2, 3]) as number[])
    const one = new MailboxView(shared)
    const other = new MailboxView(shared)
    one.note(changes({ vanished: [2], flags: [[1, ['\\Seen']]] }))
    one.release({ expunges: true })
    expect(other.resolve([[1, STAR]], false)).toEqual([1, 2, 3])
    expect(other.flagsOf(1)).toEqual([])
  })

  it('expunges half of 200,000 messages in linear time', () => {
    const uids = Array.from({ length: 200_000 }, (_, i) => i * 3 + 1)
    const view = new MailboxView(snapshot(uids))
    const start = performance.now()
    view.note(changes({ vanished: uids.filter((_, i) => i % 2 === 0) }))
    const updates = view.release({ expunges: true })
    expect(performance.now() - start).toBeLessThan(2_000)
    expect(updates).toHaveLength(100_000)
    expect(view.seqOf(4)).toBe(1)
    expect(view.uidAt(100_000)).toBe(uids.at(-1))
  })
})

type Action =
  | { readonly type: 'add'; readonly flags: Flags }
  | { readonly type: 'flags' | 'vanish' | 'own'; readonly pick: number; readonly flags: Flags }
  | { readonly type: 'release'; readonly expunges: boolean }

const someFlags = fc.subarray(['\\Seen', '\\Deleted', '$Forwarded'])
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: fc.constant('add' as const), flags: someFlags }),
  fc.record({ type: fc.constantFrom('flags', 'vanish', 'own'), pick: fc.nat(), flags: someFlags }),
  fc.record({ type: fc.constant('release' as const), expunges: fc.boolean() }),
)

describe('a view against a model', () => {
  it('leaves the client, after each release, knowing the mailbox as it is', () => {
    fc.assert(
      fc.property(fc.nat(8), fc.array(action, { maxLength: 60 }), (before, actions) => {
        const start = Array.from({ length: before }, (_, i) => i + 1)
        /** The mailbox itself, and what a client makes of the responses. */
        const mailbox = new Map<number, Flags>(start.map((uid) => [uid, []]))
        const client: (number | null)[] = [...start]
        const clientFlags = new Map<number, string>(start.map((uid) => [uid, '']))
        const view = new MailboxView(snapshot(start))
        let next = before + 1
        for (const step of [...actions, { type: 'release', expunges: true } as const]) {
          const present = [...mailbox.keys()]
          switch (step.type) {
            case 'add':
              mailbox.set(next, step.flags)
              view.note(changes({ added: [[next, step.flags]] }))
              next++
              break
            case 'flags':
            case 'own':
            case 'vanish': {
              const uid = present[step.pick % (present.length || 1)]
              if (uid === undefined) break
              if (step.type === 'vanish') {
                mailbox.delete(uid)
                view.note(changes({ vanished: [uid] }))
                break
              }
              if (step.type === 'own' && client.includes(uid)) {
                view.told(uid, step.flags)
                clientFlags.set(uid, step.flags.join(' '))
              }
              mailbox.set(uid, step.flags)
              view.note(changes({ flags: [[uid, step.flags]] }))
              break
            }
            case 'release':
              for (const update of view.release(step)) {
                if (update.type === 'expunge') {
                  expect(client[update.seq - 1]).toBe(update.uid)
                  client.splice(update.seq - 1, 1)
                } else if (update.type === 'exists') {
                  while (client.length < update.count) client.push(null)
                } else {
                  expect(view.uidAt(update.seq)).toBe(update.uid)
                  clientFlags.set(update.uid, update.flags.join(' '))
                }
              }
              client.forEach((uid, index) => {
                const actual = view.uidAt(index + 1) as number
                if (uid === null) clientFlags.set(actual, view.flagsOf(actual).join(' '))
                else expect(actual).toBe(uid)
                client[index] = actual
              })
              if (step.expunges) {
                expect(client).toEqual([...mailbox.keys()])
                for (const [uid, flags] of mailbox) expect(clientFlags.get(uid)).toBe(flags.join(' '))
              }
          }
          expect(view.count).toBe(client.length)
          client.forEach((uid, index) => {
            expect(view.uidAt(index + 1)).toBe(uid)
            expect(view.seqOf(uid as number)).toBe(index + 1)
            expect(view.isExpunged(uid as number)).toBe(!mailbox.has(uid as number))
          })
        }
      }),
      { numRuns: 300 },
    )
  })

  it('resolves sets as a filter over all messages would', () => {
    const end = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(STAR))
    const sets: fc.Arbitrary<SequenceSet> = fc.array(fc.tuple(end, end), { minLength: 1, maxLength: 5 })
    const uidLists = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1 })
    fc.assert(
      fc.property(uidLists, fc.nat(20), sets, fc.boolean(), (list, told, set, byUid) => {
        const uids = list.sort((a, b) => a - b)
        const view = new MailboxView(snapshot(uids.slice(0, told)))
        view.note(changes({ added: uids.slice(told).map((uid) => [uid, []]) }))
        view.release({ expunges: true })
        const largest = byUid ? (uids.at(-1) as number) : uids.length
        const inSet = (number: number): boolean =>
          set.some(([a, b]) => {
            const ends = [Math.min(a, STAR), Math.min(b, STAR)].map((n) => (n === STAR ? largest : n))
            return number >= Math.min(...ends) && number <= Math.max(...ends)
          })
        expect(view.resolve(set, byUid)).toEqual(uids.filter((uid, i) => inSet(byUid ? uid : i + 1)))
      }),
    )
  })
})

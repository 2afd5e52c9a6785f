import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MailError } from '../../src/core/index.js'
import type { Changes, Flags } from '../../src/interfaces/index.js'
import { Columns } from '../../src/storage/columns.js'
import { FlagTable } from '../../src/storage/flags.js'
import { storeLimits } from '../../src/storage/limits.js'
import { levelsAbove, mailboxName } from '../../src/storage/mailbox-name.js'
import { MailboxState, newHeader } from '../../src/storage/mailbox-state.js'

type Step =
  | { readonly type: 'append'; readonly count: number }
  | {
      readonly type: 'expunge' | 'flag'
      readonly from: number
      readonly step: number
      readonly count: number
    }
  | { readonly type: 'fail'; readonly count: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('append' as const), count: fc.integer({ min: 1, max: 3_000 }) }),
  fc.record({
    type: fc.constantFrom('expunge' as const, 'flag' as const),
    from: fc.nat(6_000),
    step: fc.integer({ min: 1, max: 40 }),
    count: fc.nat(1_500),
  }),
  fc.record({ type: fc.constant('fail' as const), count: fc.integer({ min: 1, max: 1_500 }) }),
)

function newState(): MailboxState {
  return new MailboxState(newHeader(1), new FlagTable([], 100), new Columns())
}

describe('a mailbox in memory', () => {
  it('stays what a plain list would be, and every snapshot stays what it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const state = newState()
        const none = state.table.resolve([])
        let model = new Map<number, Flags>()
        const follower = new Map<number, Flags>()
        let since = 1
        const kept: { snapshot: ReturnType<MailboxState['snapshot']>; uids: number[]; flags: Flags[] }[] = []
        for (const [n, now] of steps.entries()) {
          const modSeq = state.header.highestModSeq + 1
          if (now.type === 'append' || now.type === 'fail') {
            const before = { ...state.header }
            const first = state.header.uidNext
            state.append(
              Array.from({ length: now.count }, () => ({ flags: none, size: 3 })),
              modSeq,
            )
            if (now.type === 'fail') state.takeBack(before)
            else for (let i = 0; i < now.count; i++) model.set(first + i, none)
          } else {
            const wanted = Array.from({ length: now.count }, (_, i) => 1 + now.from + i * now.step)
            const uids = state.present(wanted)
            expect(uids).toEqual(wanted.filter((uid) => model.has(uid)))
            if (now.type === 'expunge') {
              if (uids.length > 0) state.expunge(uids, modSeq)
              for (const uid of uids) model.delete(uid)
            } else {
              const operand = state.table.resolve(n % 2 === 0 ? ['\\Seen'] : [`k${n}`])
              const plan = state.planFlags(wanted, 'add', operand)
              expect(plan.missing).toEqual(wanted.filter((uid) => !model.has(uid)))
              if (plan.changes.length > 0) state.setFlags(plan.changes, modSeq)
              model = new Map([...model, ...plan.changes.map(({ uid, flags }) => [uid, flags] as const)])
            }
          }
          const { messages, unseen, size } = state.status
          const seen = [...model.values()].filter((flags) => flags.includes('\\Seen')).length
          expect([messages, unseen, size]).toEqual([model.size, model.size - seen, model.size * 3])
          if (n % 3 === 0) {
            kept.push({ snapshot: state.snapshot(), uids: [...model.keys()], flags: [...model.values()] })
          }
          if (n % 4 === 3) since = follow(follower, await changesOf(state, since, model))
        }
        since = follow(follower, await changesOf(state, since, model))
        expect([...follower].sort(([a], [b]) => a - b)).toEqual([...model])
        for (const { snapshot, uids, flags } of kept) {
          expect(snapshot.uids).toEqual(uids)
          expect(snapshot.flags).toEqual(flags)
          expect(snapshot.modSeqs.every((modSeq) => modSeq <= snapshot.highestModSeq)).toBe(true)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('gives one answer to all who follow it', async () => {
    const state = newState()
    state.append([{ flags: state.table.resolve([]), size: 1 }], 2)
    expect(state.recentChanges(1)).toBe(state.recentChanges(1))
    expect(state.snapshot()).toBe(state.snapshot())
  })

  it('has no UID after the last', () => {
    const state = newState()
    state.header.uidNext = 2 ** 32 - 1
    state.checkRoom(1)
    expect(() => state.checkRoom(2)).toThrow(MailError)
  })
})

/** As a store asks: the log where it reaches, else the columns and the tombstones, which the model knows. */
async function changesOf(
  state: MailboxState,
  since: number,
  model: ReadonlyMap<number, Flags>,
): Promise<Changes> {
  const gone = Array.from({ length: state.header.uidNext - 1 }, (_, i) => i + 1).filter(
    (uid) => !model.has(uid),
  )
  return state.recentChanges(since) ?? state.olderChanges(since, async () => gone)
}

function follow(view: Map<number, Flags>, changes: Changes): number {
  for (const { uid, flags } of [...changes.added, ...changes.flags]) view.set(uid, flags)
  for (const uid of changes.vanished) view.delete(uid)
  return changes.upTo
}

describe('flags', () => {
  const keyword = fc.constantFrom(
    ...Array.from({ length: 60 }, (_, i) => `key${i}`),
    '\\Seen',
    '\\Draft',
    '\\deleted',
  )
  const sets = fc.array(keyword, { maxLength: 50 })

  it('add, remove and replace are those of sets', () => {
    fc.assert(
      fc.property(
        sets,
        sets,
        fc.constantFrom('add' as const, 'remove' as const, 'replace' as const),
        (a, b, mode) => {
          const table = new FlagTable([], 100)
          const lower = (flags: Flags) => new Set(flags.map((flag) => flag.toLowerCase()))
          const expected = mode === 'replace' ? lower(b) : lower(a)
          for (const flag of lower(b)) if (mode === 'add') expected.add(flag)
          for (const flag of lower(b)) if (mode === 'remove') expected.delete(flag)
          const result = table.combine(table.resolve(a), mode, table.resolve(b))
          expect(lower(result)).toEqual(expected)
          expect(result).toBe(table.resolve([...expected].reverse()))
          const { mask, more } = table.codeOf(result)
          expect(table.decode(mask, more)).toBe(result)
          expect(lower(new FlagTable(table.keywords, 100).decode(mask, more))).toEqual(expected)
        },
      ),
    )
  })

  it('sets that nobody has are forgotten', () => {
    const table = new FlagTable([], 100)
    const kept = table.resolve(['a', 'b'])
    for (let i = 0; i < 10_000; i++) table.decode(i << 5, '')
    expect(table.crowded(1)).toBe(true)
    table.prune([kept])
    expect(table.crowded(1)).toBe(false)
    expect(table.resolve(['B', 'A'])).toBe(kept)
  })
})

describe('mailbox names', () => {
  const limits = storeLimits()

  it('have one form, which is its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (given) => {
        let name: string
        try {
          name = mailboxName(given, limits)
        } catch (error) {
          expect(error).toMatchObject({ kind: 'invalidName' })
          return
        }
        expect(mailboxName(name, limits)).toBe(name)
        expect(name).not.toMatch(/[\p{Cc}\p{Cs}]|^\/|\/$|\/\//u)
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
      }),
    )
  })

  it('have at most ten levels and 255 octets', () => {
    expect(levelsAbove(mailboxName('1/2/3/4/5/6/7/8/9/10', limits))).toHaveLength(9)
    expect(() => mailboxName('1/2/3/4/5/6/7/8/9/10/11', limits)).toThrow(/levels/)
    expect(mailboxName('\u00e4'.repeat(127), limits)).toHaveLength(127)
    expect(() => mailboxName('\u00e4'.repeat(128), limits)).toThrow(/octets/)
  })
})

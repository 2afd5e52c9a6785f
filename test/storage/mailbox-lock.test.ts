import { describe, expect, it } from 'vitest'
import { type LockMode, MailboxLock } from '../../src/storage/sql/mailbox-lock.js'

/** Asks for locks in turn and says which are held at once. */
async function held(...modes: LockMode[]): Promise<LockMode[]> {
  const lock = new MailboxLock()
  const got: LockMode[] = []
  const ask = async (mode: LockMode): Promise<void> => {
    await lock.acquire(mode)
    got.push(mode)
  }
  for (const mode of modes) void ask(mode)
  await new Promise((resolve) => setImmediate(resolve))
  return got
}

describe('the lock of a mailbox', () => {
  it('lets go together what may', async () => {
    expect(await held('append', 'change', 'append', 'change')).toHaveLength(4)
    expect(await held('stable', 'append', 'stable')).toHaveLength(3)
    expect(await held('stable', 'change')).toEqual(['stable'])
    expect(await held('change', 'stable')).toEqual(['change'])
    expect(await held('exclusive', 'append')).toEqual(['exclusive'])
    expect(await held('append', 'exclusive')).toEqual(['append'])
  })

  it('lets nobody past who waits, and everyone in at last', async () => {
    const lock = new MailboxLock()
    const order: string[] = []
    await lock.acquire('append')
    const waiting = (['exclusive', 'append', 'append', 'exclusive', 'change'] as const).map(
      async (mode, i) => {
        await lock.acquire(mode)
        order.push(`${i}${mode}`)
        await new Promise((resolve) => setImmediate(resolve))
        lock.release(mode)
      },
    )
    expect(order).toEqual([])
    lock.release('append')
    await Promise.all(waiting)
    expect(order).toEqual(['0exclusive', '1append', '2append', '3exclusive', '4change'])
  })
})

import { expect, it } from 'vitest'
import { Awake } from '../../src/storage/awake.js'

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Whether the event loop has something to do at once, a little later. */
async function isTurning(): Promise<boolean> {
  await after(1)
  return process.getActiveResourcesInfo().includes('Immediate')
}

/** Work that ends when it is told to. */
function work(): { readonly done: Promise<string>; readonly end: (text: string) => void } {
  let end = (_: string): void => undefined
  const done = new Promise<string>((resolve) => {
    end = resolve
  })
  return { done, end }
}

it('keeps the event loop turning while somebody waits', async () => {
  const awake = new Awake(60_000)
  const [first, second] = [work(), work()]
  const waits = [awake.wait(first.done), awake.wait(second.done)]
  expect(await isTurning()).toBe(true)
  await expect(awake.wait(Promise.reject(new Error('of the work')))).rejects.toThrow('of the work')
  first.end('first')
  expect(await isTurning()).toBe(true)
  second.end('second')
  expect(await Promise.all(waits)).toEqual(['first', 'second'])
  expect(await isTurning()).toBe(false)
})

it('does so for a while only', async () => {
  const { done, end } = work()
  const wait = new Awake(20).wait(done)
  while (await isTurning());
  end('late')
  expect(await wait).toBe('late')
})

it('leaves it alone where waits usually take longer, until they no longer do', async () => {
  const awake = new Awake(50)
  for (let i = 0; i < 10; i++) await awake.wait(after(100))
  const long = work()
  const wait = awake.wait(long.done)
  expect(await isTurning()).toBe(false)
  long.end('long')
  await wait
  for (let i = 0; i < 16; i++) await awake.wait(Promise.resolve())
  const short = work()
  const again = awake.wait(short.done)
  expect(await isTurning()).toBe(true)
  short.end('short')
  await again
})

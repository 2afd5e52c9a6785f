/** Time as the library sees it; a test gives a virtual one. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /**
   * Calls `act` once after `ms` milliseconds, unless the function it returns is called before. A clock may leave it out;
   * it is there because a timer costs a connection less than a promise with a signal.
   */
  after?(ms: number, act: () => void): () => void
}

/** As `Clock.after`, of any clock. */
export function after(clock: Clock, ms: number, act: () => void): () => void {
  if (clock.after !== undefined) return clock.after(ms, act)
  const sleeping = new AbortController()
  clock.sleep(ms, sleeping.signal).then(act, () => undefined)
  return () => sleeping.abort(STOPPED)
}

/** One for all: an exception with its stack costs more than the timer. */
const STOPPED = new Error('the timer was stopped')

const LONGEST_TIMER = 2 ** 31 - 1

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return
      }
      const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER))
      timer.unref()
      const aborted = (): void => {
        clearTimeout(timer)
        reject(signal?.reason as Error)
      }
      function done(): void {
        signal?.removeEventListener('abort', aborted)
        resolve()
      }
      signal?.addEventListener('abort', aborted, { once: true })
    }),
  after: (ms, act) => {
    const timer = setTimeout(act, Math.min(ms, LONGEST_TIMER))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

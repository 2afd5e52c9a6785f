/** Processor milliseconds that say nothing; what is not linear is far above them. */
const FLOOR = 4

/** Milliseconds of processor time `run` takes, the least of two. */
function least(run: () => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 2; i++) {
    const start = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(start)
    best = Math.min(best, (user + system) / 1_000)
  }
  return best
}

/**
 * t(4n) / t(n) of what `make` gives for a size; its own work is not counted. Linear work gives about 4, quadratic 16.
 * The least of up to ten tries, since compilation, collection and other work only ever add to it, the last five of them
 * at twice the size: what the larger of two inputs loses by leaving a cache is lost at one size alone.
 */
export function growth(n: number, make: (n: number) => () => void): number {
  let ratio = Number.POSITIVE_INFINITY
  for (let i = 0; i < 10 && ratio >= 6; i++) {
    const size = i < 5 ? n : 2 * n
    const large = least(make(4 * size))
    ratio = Math.min(ratio, large / Math.max(least(make(size)), FLOOR))
  }
  return ratio
}

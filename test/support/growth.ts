/**
 * How much longer `run` takes for `4 * size` than for `size`, by CPU time: the best of three each, so that a machine
 * with other work does not count. Linear work gives about 4, quadratic about 16.
 */
export function growth(size: number, run: (size: number) => void): number {
  const best = (count: number): number => {
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < 3; i++) {
      const start = process.cpuUsage()
      run(count)
      const { user, system } = process.cpuUsage(start)
      least = Math.min(least, user + system)
    }
    return Math.max(1_000, least)
  }
  run(size)
  return best(4 * size) / best(size)
}

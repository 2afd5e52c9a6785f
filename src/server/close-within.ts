/** Milliseconds for what was cut off to end. */
const CUT_OFF_MS = 200

/**
 * Resolves when `closed` does. After `ms` it calls `cutOff`, and soon afterwards resolves in any case: what a host's own
 * function holds up even then is not waited for.
 */
export async function closeWithin(closed: Promise<unknown>, ms: number, cutOff: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      cutOff()
      timer = setTimeout(resolve, CUT_OFF_MS)
    }, ms)
  })
  await Promise.race([closed, late])
  clearTimeout(timer)
}

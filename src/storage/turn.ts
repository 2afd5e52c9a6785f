/** Resolves in a later turn of the event loop, so that others run in between. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

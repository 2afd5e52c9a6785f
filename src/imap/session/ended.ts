/** The connection is gone: thrown at the next pause of a command, so that it stops, and told to no one. */
export class SessionEnded extends Error {
  constructor() {
    super('the connection is gone')
    this.name = 'SessionEnded'
  }
}

/**
 * The store failed within a response, most likely in a literal whose size was announced. No reply can follow half a
 * response, so the connection ends there.
 */
export class BrokenResponse extends Error {
  constructor(cause: unknown) {
    super('the store failed within a response', { cause })
    this.name = 'BrokenResponse'
  }
}

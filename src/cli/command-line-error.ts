/** A mistake in how the command was called; the message ends with what to type. */
export class CommandLineError extends Error {
  readonly code: 'COMMAND_LINE'

  constructor(message: string) {
    super(message)
    this.name = 'CommandLineError'
    this.code = 'COMMAND_LINE'
  }
}

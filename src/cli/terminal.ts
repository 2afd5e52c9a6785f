import type { Writable } from 'node:stream'
import type { PasswordSource } from './read-password.js'

/** What the command is given of the process that runs it. */
export interface Terminal {
  readonly stdin: PasswordSource['input']
  readonly stdout: Writable
  readonly stderr: Writable
  /** Calls `stop` when the process is asked to end. */
  readonly onStopSignal: (stop: () => void) => void
}

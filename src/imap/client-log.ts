import type { WireLog } from '../core/wire-log.js'
import { parseHead } from './grammar/parse-command.js'
import { commandStates } from './state.js'

/** Puts what the client sends into the wire log without anything secret: no password, no authentication payload. */
export class ClientLog {
  readonly #wireLog: WireLog | null
  #secret: boolean

  constructor(wireLog: WireLog | null) {
    this.#wireLog = wireLog
    this.#secret = false
  }

  /**
   * A line of a command; `first` when it is the one with the tag. Before login whatever is no command is taken for a
   * password gone astray.
   */
  commandLine(line: string, first: boolean, loggedIn: boolean): void {
    if (this.#wireLog === null) return
    if (first) {
      const { tag, name } = parseHead(line)
      const known = commandStates.has(name)
      this.#secret = name === 'LOGIN' || name === 'AUTHENTICATE' || (!known && !loggedIn)
      this.#secret ||= /login|authenticate/i.test(line)
      if (this.#secret) {
        this.#wireLog.secret('client', known && tag !== null ? `${tag} ${name} ***` : '***')
        return
      }
    }
    if (this.#secret) this.secretLine()
    else this.#wireLog.line('client', line)
  }

  /** The octets of a literal of the command whose lines came before. */
  literal(octets: Uint8Array): void {
    if (this.#secret) this.secretLine()
    else this.#wireLog?.octets('client', octets)
  }

  /** A line of an authentication exchange, or one that is not looked at. */
  secretLine(): void {
    this.#wireLog?.secret('client', '***')
  }

  /** Octets of a message. */
  message(octets: Uint8Array): void {
    this.#wireLog?.octets('client', octets)
  }
}

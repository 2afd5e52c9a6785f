import type { Wait } from '../core/index.js'
import { InputQueue, OutputQueue } from '../core/index.js'
import type { ServerExchange } from '../sasl/index.js'
import { describeMechanism } from '../sasl/index.js'
import type { Pop3CloseReason, Pop3ServerEvent } from './events.js'
import type { Listing } from './listing.js'
import { Maildrop } from './maildrop.js'
import type { ResolvedPop3ServerOptions } from './options.js'
import type { Pop3ServerState } from './state.js'

/** What the next octets are: nothing yet, a command, the rest of an overlong line, a line of an AUTH exchange, or of no interest. */
export type Mode = 'greeting' | 'command' | 'overlong' | 'exchange' | 'upgrade' | 'closed'

/** The question that waits for the host. `body`: the message has begun. */
export type Pending = 'authenticate' | 'login' | 'retrieve' | 'body' | 'update'

/** All that one session remembers; the commands act on it and the engine drives it. */
export class Conversation {
  readonly options: ResolvedPop3ServerOptions
  readonly input: InputQueue
  readonly output: OutputQueue
  readonly events: Pop3ServerEvent[]
  mode: Mode
  state: Pop3ServerState
  pending: Pending | null
  secure: boolean
  /** What USER named, until PASS is answered. */
  userName: string | null
  exchange: ServerExchange | null
  listing: Listing | null
  maildrop: Maildrop
  commands: number
  failedLogins: number
  /** The session is over by QUIT, and nothing came behind it. */
  peerHasLeft: boolean
  wait: Wait
  #errors: number

  constructor(options: ResolvedPop3ServerOptions) {
    this.options = options
    this.input = new InputQueue()
    this.output = new OutputQueue('server', options.wireLog)
    this.events = []
    this.mode = 'greeting'
    this.state = 'authorization'
    this.pending = null
    this.secure = options.secure
    this.userName = null
    this.exchange = null
    this.listing = null
    this.maildrop = new Maildrop(0, [], [])
    this.commands = 0
    this.failedLogins = 0
    this.peerHasLeft = false
    this.wait = { kind: 'login', ms: options.limits.loginMs }
    this.#errors = 0
  }

  /** The SASL mechanisms that may be used as the connection is now. */
  get mechanisms(): readonly string[] {
    return this.options.mechanisms.filter((name) => !this.needsTls(name))
  }

  /** USER and PASS are there, and may be used as the connection is now. */
  get takesPasswords(): boolean {
    return this.mechanisms.includes('PLAIN')
  }

  needsTls(mechanism: string): boolean {
    const plaintext = describeMechanism(mechanism)?.plaintext ?? true
    return plaintext && !this.secure && !this.options.allowPlaintext
  }

  get offersTls(): boolean {
    return this.options.startTls && !this.secure
  }

  ok(text = ''): void {
    this.output.text(text === '' ? '+OK\r\n' : `+OK ${text}\r\n`)
  }

  /** Says -ERR for what is not the client's fault. `code` is a response code without brackets (RFC 2449 section 8). */
  refuse(code: string | null, text: string): void {
    this.output.text(code === null ? `-ERR ${text}\r\n` : `-ERR [${code}] ${text}\r\n`)
  }

  /** Says -ERR for the client's fault; one too many closes. */
  fail(text: string): void {
    const { errors, errorsBeforeLogin } = this.options.limits
    const most = this.state === 'authorization' ? errorsBeforeLogin : errors
    this.refuse(null, text)
    if (++this.#errors > most) this.close('limit')
  }

  failPlaintext(): void {
    this.fail(
      `Passwords are not taken without TLS: ${this.offersTls ? 'use STLS first' : 'use the port for TLS'}`,
    )
  }

  /** Errors made before login do not count any more. */
  enterTransaction(maildrop: Maildrop): void {
    this.state = 'transaction'
    this.maildrop = maildrop
    this.#errors = 0
    this.expectCommand()
  }

  /** The client has time anew for its next command; before login all commands share one measure. */
  expectCommand(): void {
    if (this.state === 'transaction') this.wait = { kind: 'command', ms: this.options.limits.commandMs }
  }

  ask(pending: Pending, event: Pop3ServerEvent): void {
    this.pending = pending
    this.events.push(event)
  }

  /** What the client sends next is of no interest any more. */
  close(reason: Pop3CloseReason): void {
    if (this.mode === 'closed') return
    this.mode = 'closed'
    this.peerHasLeft = reason === 'quit' && this.input.size === 0
    this.pending = null
    this.exchange = null
    this.listing = null
    this.input.clear()
    this.events.push({ type: 'closed', reason })
  }
}

import type { Engine, Need, ShutdownReason, TlsInfo, UpgradeKind, Wait } from '../core/index.js'
import { asBuffer, DotWriter, toLatin1, UsageError } from '../core/index.js'
import type { AuthFailure } from '../interfaces/index.js'
import type { AuthAnswer } from '../sasl/index.js'
import { commands } from './commands/index.js'
import type { Pending } from './conversation.js'
import { Conversation } from './conversation.js'
import type { Pop3ServerEvent } from './events.js'
import { answerExchange, continueExchange, endExchange } from './exchange.js'
import { parseCommandLine, redact } from './grammar.js'
import type { Maildrop } from './maildrop.js'
import type { Pop3ServerOptions } from './options.js'
import { resolvePop3ServerOptions } from './options.js'
import { sequence } from './state.js'

/** Output octets after which `busy` is told, and told again. */
const BUSY = 65_536

/** `KEYWORD ` and CRLF round the argument: keywords have four letters at most. */
const AROUND_ARGUMENT = 7

/** A web browser, or a page in one, that was made to talk to this port. */
const HTTP = /^(GET|POST|HEAD|PUT|OPTIONS|CONNECT|DELETE|PATCH|PRI)$/

const shutdownTexts: Readonly<Record<ShutdownReason, readonly [code: string, text: string]>> = {
  shutdown: ['SYS/TEMP', 'Server is shutting down'],
  tooManyConnections: ['SYS/TEMP', 'Too many connections, try again later'],
  forbidden: ['SYS/PERM', 'Not allowed'],
  internalError: ['SYS/TEMP', 'Internal error'],
}

/** RFC 3206 sections 4 and 5. */
const loginFailures: Readonly<Record<AuthFailure, readonly [code: string, text: string]>> = {
  invalid: ['AUTH', 'Invalid user name or password'],
  disabled: ['AUTH', 'This account may not log in here'],
  throttled: ['SYS/TEMP', 'Too many failed logins, try again later'],
  unavailable: ['SYS/TEMP', 'Logging in is not possible now, try again later'],
}

/** The server's side of POP3 (RFC 1939, 2449, 2595, 3206, 5034): octets in, events out; answers in, octets out. */
export class Pop3ServerEngine implements Engine<Pop3ServerEvent> {
  readonly #conversation: Conversation
  #ended: boolean
  #shutdown: ShutdownReason | null
  #busyAt: number
  #dots: DotWriter

  constructor(options: Pop3ServerOptions) {
    this.#conversation = new Conversation(resolvePop3ServerOptions(options))
    this.#ended = false
    this.#shutdown = null
    this.#busyAt = BUSY
    this.#dots = new DotWriter()
  }

  /** The connection is encrypted. */
  get secure(): boolean {
    return this.#conversation.secure
  }

  get need(): Need {
    const { mode, pending } = this.#conversation
    if (mode === 'closed') return 'closed'
    if (pending !== null) return 'answer'
    return mode === 'upgrade' ? 'upgrade' : 'input'
  }

  get peerHasLeft(): boolean {
    return this.#conversation.peerHasLeft
  }

  get wait(): Wait {
    return this.#conversation.wait
  }

  get outputSize(): number {
    return this.#conversation.output.size
  }

  takeOutput(): readonly Uint8Array[] {
    this.#busyAt = BUSY
    return this.#conversation.output.take()
  }

  receive(chunk: Uint8Array): void {
    const { mode, input } = this.#conversation
    if (mode !== 'upgrade' && mode !== 'closed') input.push(chunk)
  }

  receiveEnd(): void {
    this.#ended = true
  }

  next(): Pop3ServerEvent | null {
    const conversation = this.#conversation
    for (;;) {
      const event = conversation.events.shift()
      if (event !== undefined) return event
      if (conversation.mode === 'closed') return null
      if (conversation.output.size >= this.#busyAt) {
        this.#busyAt = conversation.output.size + BUSY
        return { type: 'busy' }
      }
      if (conversation.pending !== null) return null
      if (conversation.listing !== null) {
        if (conversation.listing.write(conversation.output)) conversation.listing = null
      } else if (this.#shutdown !== null) {
        this.#sayShutdown(this.#shutdown)
      } else if (!this.#advance()) {
        return null
      }
    }
  }

  /** `authenticate`: what the Authenticator says. UsageError `ANSWER` where that is not what was asked. */
  answerAuth(answer: AuthAnswer): void {
    if (this.#answers('authenticate')) answerExchange(this.#conversation, answer)
  }

  /** `login`: the maildrop is locked. */
  acceptLogin(maildrop: Maildrop): void {
    if (!this.#answers('login')) return
    this.#conversation.enterTransaction(maildrop)
    this.#conversation.ok(`Maildrop has ${maildrop.summary}`)
  }

  /** `login`: not this time; one too many closes. */
  refuseLogin(failure: AuthFailure): void {
    if (!this.#answers('login')) return
    const conversation = this.#conversation
    conversation.refuse(...loginFailures[failure])
    if (++conversation.failedLogins >= conversation.options.limits.failedLogins) conversation.close('limit')
  }

  /** `retrieve`: octets follow. */
  acceptMessage(): void {
    if (!this.#answers('retrieve')) return
    this.#conversation.pending = 'body'
    this.#conversation.ok('Message follows')
    this.#dots = new DotWriter()
  }

  /** The next octets of the message, which must not be changed afterwards. */
  body(chunk: Uint8Array): void {
    const { mode, pending, output } = this.#conversation
    if (mode === 'closed') return
    if (pending !== 'body') throw new UsageError('OUT_OF_TURN', 'no message was accepted')
    for (const piece of this.#dots.write(asBuffer(chunk))) output.bytes(piece)
  }

  endMessage(): void {
    if (!this.#answers('body')) return
    for (const piece of this.#dots.end()) this.#conversation.output.bytes(piece)
  }

  /** The rest of the message cannot be had: the connection ends, so that nobody takes what came for the whole. */
  breakOff(): void {
    if (this.#answers('body')) this.#conversation.close('protocol')
  }

  /** `update`: what was marked is removed for good, and the lock is free. */
  acceptUpdate(): void {
    if (!this.#answers('update')) return
    this.#conversation.ok('Bye')
    this.#conversation.close('quit')
  }

  /** Any ask but a message that has begun: -ERR with a response code without brackets (RFC 2449 section 8), or null. */
  refuse(code: string | null, text: string): void {
    const conversation = this.#conversation
    if (conversation.mode === 'closed') return
    const { pending } = conversation
    if (pending === null || pending === 'body')
      throw new UsageError('OUT_OF_TURN', 'there is nothing to refuse')
    conversation.pending = null
    if (pending === 'authenticate') endExchange(conversation)
    conversation.expectCommand()
    conversation.refuse(code, text)
    if (pending === 'update') conversation.close('quit')
  }

  upgraded(_kind: UpgradeKind, info: TlsInfo | null): void {
    const conversation = this.#conversation
    if (conversation.mode !== 'upgrade') return
    conversation.mode = 'command'
    conversation.secure = true
    conversation.userName = null
    conversation.wait = { kind: 'login', ms: conversation.options.limits.loginMs }
    conversation.events.push({ type: 'tls', info })
  }

  shutdown(reason: ShutdownReason): void {
    const { mode, pending, listing } = this.#conversation
    if (mode === 'closed') return
    const answering = pending !== null || listing !== null
    if (answering && reason !== 'internalError') this.#shutdown = reason
    else this.#sayShutdown(reason)
  }

  lost(): void {
    this.#conversation.close('lost')
  }

  /** RFC 1939 section 3: closes without a response and removes nothing. */
  timedOut(): void {
    this.#conversation.close('timeout')
  }

  /** Takes one step with what has come in; false when it needs more. */
  #advance(): boolean {
    const conversation = this.#conversation
    const { input, options } = conversation
    switch (conversation.mode) {
      case 'greeting':
        conversation.ok(`${options.hostname} POP3 server ready`)
        conversation.mode = 'command'
        return true
      case 'overlong':
        if (input.skipLine()) conversation.mode = 'command'
        else return this.#starved()
        return true
      case 'command':
      case 'exchange': {
        const inExchange = conversation.mode === 'exchange'
        const { argumentOctets, authOctets } = options.limits
        const line = input.takeLine(inExchange ? authOctets : argumentOctets + AROUND_ARGUMENT)
        if (line === null) return this.#starved()
        if (line === 'too-long') this.#overlong()
        else if (inExchange) this.#response(line)
        else this.#command(line)
        return true
      }
      case 'upgrade':
      case 'closed':
        return false
    }
  }

  /** There is nothing to act on; nothing more will come once the client has ended its side. */
  #starved(): boolean {
    if (this.#ended) this.#conversation.close('lost')
    return this.#ended
  }

  #overlong(): void {
    const conversation = this.#conversation
    conversation.options.wireLog?.secret('client', '***')
    conversation.exchange = null
    conversation.mode = 'overlong'
    conversation.fail('Line is too long')
  }

  #response(line: Buffer): void {
    const conversation = this.#conversation
    conversation.options.wireLog?.secret('client', '***')
    const { exchange } = conversation
    if (exchange === null) return
    if (line[line.length - 2] === 0x0d) {
      continueExchange(conversation, exchange.respond(toLatin1(line, 0, line.length - 2)))
    } else {
      endExchange(conversation)
      conversation.fail('Lines end with CRLF')
    }
  }

  #command(line: Buffer): void {
    const conversation = this.#conversation
    const { wireLog, limits } = conversation.options
    conversation.expectCommand()
    const parsed = parseCommandLine(line)
    const command = parsed === null ? undefined : commands.get(parsed.keyword)
    const secret = command === undefined || command.name === 'PASS' || command.name === 'AUTH'
    if (secret) wireLog?.secret('client', redact(line))
    else wireLog?.line('client', toLatin1(line))
    if (conversation.state === 'authorization' && ++conversation.commands > limits.commandsBeforeLogin) {
      conversation.refuse(null, 'Too many commands before login')
      conversation.close('limit')
    } else if (parsed === null) {
      conversation.fail('Commands are printable characters and end with CRLF')
    } else if (command === undefined) {
      conversation.fail('Unknown command')
      if (HTTP.test(parsed.keyword)) conversation.close('protocol')
    } else {
      const wrong = sequence[command.name][conversation.state]
      if (wrong === null) command.receive(conversation, parsed.argument)
      else conversation.fail(wrong)
    }
  }

  /** True when the host answers what was asked. An answer after the end is void; one out of turn is a mistake. */
  #answers(pending: Pending): boolean {
    const conversation = this.#conversation
    if (conversation.mode === 'closed') return false
    if (conversation.pending !== pending) {
      throw new UsageError(
        'OUT_OF_TURN',
        `"${pending}" is answered, and ${conversation.pending ?? 'nothing'} was asked`,
      )
    }
    conversation.pending = null
    conversation.expectCommand()
    return true
  }

  #sayShutdown(reason: ShutdownReason): void {
    const conversation = this.#conversation
    const silent =
      conversation.pending === 'body' || conversation.listing !== null || conversation.mode === 'upgrade'
    if (!silent) conversation.refuse(...shutdownTexts[reason])
    conversation.close('shutdown')
  }
}

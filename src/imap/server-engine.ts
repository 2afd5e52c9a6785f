import type { Engine, Need, ShutdownReason, TlsInfo, UpgradeKind, Wait } from '../core/engine.js'
import { UsageError } from '../core/errors.js'
import { InputQueue } from '../core/input-queue.js'
import { resolveLimits } from '../core/limits.js'
import type { AuthAnswer } from '../sasl/index.js'
import { admit, admitLiteral, speaksHttp } from './admission.js'
import { AppendIntake } from './append-intake.js'
import type { CapabilityFacts } from './capabilities.js'
import { capabilities } from './capabilities.js'
import { ClientLog } from './client-log.js'
import type { Status } from './command.js'
import type { ReadResult } from './command-reader.js'
import { CommandReader } from './command-reader.js'
import type { AppendStart } from './grammar/append.js'
import { CommandFault, Cursor, malformed } from './grammar/cursor.js'
import type { CommandHead } from './grammar/parse-command.js'
import { parseCommand, parseHead } from './grammar/parse-command.js'
import type { ImapLimits } from './limits.js'
import { imapLimitRules } from './limits.js'
import { capabilityResponse, untagged } from './responses.js'
import type { AuthenticationStep } from './server-authentication.js'
import { ServerAuthentication } from './server-authentication.js'
import type { ImapServerEvent, ImapServerReplies, ImapState } from './server-events.js'
import type { ImapServerEngineOptions } from './server-options.js'
import { ServerOutput } from './server-output.js'

/** What the engine is doing. `closing`: `closed` is still to be told. */
type Phase = 'start' | 'command' | 'exchange' | 'append' | 'idle' | 'upgrade' | 'closing' | 'closed'

type Ask = Exclude<ImapServerEvent['type'], 'appendData' | 'appendAbort' | 'closed'>

/** What one step of `next` came to; `again` when it used octets and there may be more to do. */
type Step = ImapServerEvent | null | 'again'

type Announced = Extract<ReadResult, { readonly type: 'literal' }>

/** Octets of a line of an authentication exchange (RFC 4954 section 4 asks for as many), and of DONE. */
const EXCHANGE_LINE = 12_288
const DONE_LINE = 1_024

/**
 * The server's half of IMAP4rev1 (RFC 3501) on the wire, with IDLE, NAMESPACE, UIDPLUS, MOVE, UNSELECT, LITERAL+,
 * SASL-IR, ID, ENABLE and CHILDREN. It knows which octets are a command and in which state it may come; what the
 * command does is the session's, which answers through `ImapServerReplies`.
 *
 * A call out of turn throws UsageError `TURN`; once the session is over every call is harmless.
 */
export class ImapServerEngine implements Engine<ImapServerEvent>, ImapServerReplies {
  readonly #facts: CapabilityFacts
  readonly #hostname: string
  readonly #limits: ImapLimits
  readonly #input: InputQueue
  readonly #output: ServerOutput
  readonly #log: ClientLog
  readonly #reader: CommandReader
  readonly #intake: AppendIntake
  #secure: boolean
  #ended: boolean
  #phase: Phase
  #state: ImapState
  /** The ask that waits for its answer. */
  #ask: Ask | null
  /** The command under way: its tag, and for IDLE whether `idling` may be called. */
  #tag: string
  #idle: boolean
  /** The capabilities have changed, and the reply is to tell them. */
  #justLoggedIn: boolean
  /** What a literal of the command under way belongs to. */
  #head: CommandHead | null
  /** The client ended IDLE with something other than DONE. */
  #idleFault: boolean
  #authentication: ServerAuthentication | null
  /** What the session's answer to AUTHENTICATE came to, and is not acted on yet. */
  #answeredStep: AuthenticationStep | null
  #commands: number
  #errors: number
  #shutdown: ShutdownReason | null
  #peerHasLeft: boolean
  #wait: Wait

  /** Throws UsageError `LIMIT` for a limit out of range. */
  constructor(options: ImapServerEngineOptions) {
    const wireLog = options.wireLog ?? null
    const { mechanisms, allowPlaintext, startTls } = options
    this.#facts = { mechanisms, allowPlaintext, startTls }
    this.#hostname = options.hostname
    this.#limits = resolveLimits(imapLimitRules, options.limits)
    this.#input = new InputQueue()
    this.#output = new ServerOutput(wireLog)
    this.#log = new ClientLog(wireLog)
    this.#reader = new CommandReader(this.#input, this.#limits, this.#log)
    this.#intake = new AppendIntake(this.#input, this.#reader, this.#log)
    this.#secure = options.secure
    this.#ended = false
    this.#phase = 'start'
    this.#state = 'notAuthenticated'
    this.#ask = null
    this.#tag = ''
    this.#idle = false
    this.#justLoggedIn = false
    this.#head = null
    this.#idleFault = false
    this.#authentication = null
    this.#answeredStep = null
    this.#commands = 0
    this.#errors = 0
    this.#shutdown = null
    this.#peerHasLeft = false
    this.#wait = { kind: 'login', ms: this.#limits.loginTimeout }
  }

  get state(): ImapState {
    return this.#state
  }

  get need(): Need {
    if (this.#phase === 'closed' || this.#phase === 'upgrade') return this.#phase
    return this.#ask === null ? 'input' : 'answer'
  }

  get peerHasLeft(): boolean {
    return this.#peerHasLeft
  }

  get wait(): Wait {
    return this.#wait
  }

  get outputSize(): number {
    return this.#output.size
  }

  takeOutput(): readonly Uint8Array[] {
    return this.#output.take()
  }

  receive(chunk: Uint8Array): void {
    if (this.#over || this.#phase === 'upgrade') return
    this.#input.push(chunk)
  }

  receiveEnd(): void {
    this.#ended = true
  }

  next(): ImapServerEvent | null {
    while (this.#ask === null) {
      const step = this.#step()
      if (step === 'again') continue
      if (step !== null || !this.#ended || this.#over || this.#phase === 'upgrade') return step
      this.#close()
    }
    return null
  }

  upgraded(_kind: UpgradeKind, _info: TlsInfo | null): void {
    if (this.#phase !== 'upgrade') throw new UsageError('TURN', 'no upgrade was asked for')
    this.#secure = true
    this.#phase = 'command'
    this.#wait = { kind: 'login', ms: this.#limits.loginTimeout }
  }

  shutdown(reason: ShutdownReason): void {
    if (this.#over) return
    if (this.#ask !== null && reason !== 'internalError') this.#shutdown = reason
    else this.#end(reason)
  }

  lost(): void {
    this.#close()
    this.#output.clear()
  }

  timedOut(): void {
    if (!this.#over) this.#bye(null, 'Idle for too long')
  }

  respond(text: string): void {
    if (!this.#over) this.#output.text(text)
  }

  respondBytes(chunk: Uint8Array): void {
    if (!this.#over) this.#output.bytes(chunk)
  }

  enter(state: ImapState): void {
    if (this.#over) return
    this.#justLoggedIn = this.#state === 'notAuthenticated' && state === 'authenticated'
    this.#state = state
    if (state === 'logout' && this.#ask === null) this.#close()
  }

  complete(status: Status, code: string | null, text: string): void {
    const ask = this.#answered()
    if (ask === null) return
    const told = this.#justLoggedIn && code === null ? this.#capabilityCode() : code
    this.#justLoggedIn = false
    if (this.#idleFault) this.#reply('BAD', null, 'Expected DONE')
    else this.#reply(status, told, text)
    if (this.#over || this.#endIfAsked()) return
    if (this.#state === 'logout') this.#close()
    else if (ask === 'append' && !this.#intake.refuse(this.#limits.skippedMessage)) {
      this.#bye('TOOBIG', 'The message is too large')
    }
  }

  acceptAppend(): void {
    if (this.#answered('append') === null) return
    this.#intake.accept()
    if (this.#endIfAsked()) return
    if (this.#intake.synchronising) this.#output.continuation('Ready for the message')
    this.#phase = 'append'
    this.#wait = this.#literalWait('append')
  }

  answerAuth(answer: AuthAnswer): void {
    const authentication = this.#authentication
    if (this.#answered('authenticate') === null || authentication === null || this.#endIfAsked()) return
    this.#answeredStep = authentication.answer(answer)
    this.#phase = 'exchange'
  }

  idling(): void {
    if (!this.#over && !this.#idle) throw new UsageError('TURN', 'the command under way is not IDLE')
    if (this.#answered('command') === null) return
    if (this.#endIfAsked()) return
    this.#output.continuation('idling')
    this.#phase = 'idle'
    this.#wait = { kind: 'idle', ms: this.#limits.idleTimeout }
  }

  /** Ends the session where the host has asked for that while an answer was pending. */
  #endIfAsked(): boolean {
    if (this.#shutdown === null) return false
    this.#end(this.#shutdown)
    return true
  }

  get #over(): boolean {
    return this.#phase === 'closing' || this.#phase === 'closed'
  }

  get #loggedIn(): boolean {
    return this.#state !== 'notAuthenticated'
  }

  /** Takes back the pending ask for an answer to it; null when the session is over. */
  #answered(expected?: Ask): Ask | null {
    if (this.#over) return null
    const ask = this.#ask
    if (ask === null || (expected !== undefined && ask !== expected)) {
      throw new UsageError('TURN', `nothing waits for that answer: ${ask ?? 'no event'} is pending`)
    }
    this.#ask = null
    this.#idle = false
    return ask
  }

  #step(): Step {
    switch (this.#phase) {
      case 'start': {
        this.#phase = 'command'
        const text = `${this.#hostname} ready`
        this.#output.text(untagged('OK', this.#capabilityCode(), text))
        return 'again'
      }
      case 'command':
        return this.#read(this.#reader.read(this.#loggedIn))
      case 'exchange':
        return this.#readExchange()
      case 'append':
        return this.#readMessage()
      case 'idle':
        return this.#readDone()
      case 'closing':
        if (this.#intake.open) {
          this.#intake.close()
          return { type: 'appendAbort' }
        }
        this.#phase = 'closed'
        return { type: 'closed' }
      case 'upgrade':
      case 'closed':
        return null
    }
  }

  #read(found: ReadResult | null): Step {
    if (found === null) return null
    switch (found.type) {
      case 'command':
        return this.#command(found.text)
      case 'literal':
        return this.#literal(found)
      case 'fault':
        this.#tag = parseHead(found.text).tag ?? ''
        return this.#bad(found.fault === 'tooLong' ? 'The command is too long' : 'A line must end in CRLF')
      case 'flood':
        return this.#bye('TOOBIG', 'The command is too large')
    }
  }

  #command(text: string): Step {
    if (this.#commands++ === 0 && speaksHttp(text)) return this.#close()
    const head = this.#head ?? parseHead(text)
    this.#head = null
    try {
      this.#admit(head)
      return this.#carryOut(head, text)
    } catch (error) {
      return this.#fault(error)
    }
  }

  /** Carries out what is the engine's own, and asks the session for the rest. */
  #carryOut(head: CommandHead, text: string): Step {
    switch (head.name) {
      case 'AUTHENTICATE': {
        const authentication = new ServerAuthentication(new Cursor(text, head.end), this.#facts, this.#secure)
        return this.#exchangeStep(authentication, authentication.begin())
      }
      case 'APPEND':
        throw malformed('Expected a literal')
      case 'CAPABILITY':
      case 'LOGOUT':
      case 'STARTTLS':
        if (text.length > head.end) throw malformed('Unexpected text after the command')
        return this.#own(head.name)
      default: {
        const command = parseCommand(text, head)
        this.#ask = 'command'
        this.#idle = command.name === 'IDLE'
        return { type: 'command', tag: this.#tag, command }
      }
    }
  }

  #own(name: 'CAPABILITY' | 'LOGOUT' | 'STARTTLS'): Step {
    switch (name) {
      case 'CAPABILITY':
        this.#output.text(capabilityResponse(this.#capabilities()))
        this.#reply('OK', null, 'Capabilities told')
        return 'again'
      case 'LOGOUT':
        this.#output.text(untagged('BYE', null, 'Logging out'))
        this.#state = 'logout'
        this.#peerHasLeft = true
        this.#reply('OK', null, 'Logged out')
        return this.#close()
      case 'STARTTLS':
        if (this.#secure || !this.#facts.startTls) throw malformed('TLS cannot be started')
        this.#reply('OK', null, 'Begin TLS negotiation now')
        this.#input.clear()
        this.#reader.reset()
        this.#phase = 'upgrade'
        return 'again'
    }
  }

  /** Throws CommandFault for a command that may not come now; its tag is known then. */
  #admit(head: CommandHead): void {
    this.#tag = head.tag ?? ''
    admit(head, this.#state, this.#facts, this.#secure)
  }

  #literal(announced: Announced): Step {
    let message: AppendStart | null
    const head = this.#head ?? parseHead(announced.text)
    try {
      if (this.#head === null) this.#admit(head)
      this.#head = head
      message = admitLiteral(announced, head)
    } catch (error) {
      return this.#refuseLiteral(error, head.name === 'APPEND')
    }
    if (message !== null) return this.#announceMessage(message, announced)
    if (announced.synchronising) this.#output.continuation('Ready for the literal')
    this.#reader.acceptLiteral()
    if (this.#loggedIn) this.#wait = this.#literalWait('literal')
    return 'again'
  }

  #refuseLiteral(error: unknown, message: boolean): Step {
    const { skipped, skippedMessage, literalBeforeLogin } = this.#limits
    const afterLogin = message ? skippedMessage : skipped
    const allowance = this.#loggedIn ? afterLogin : literalBeforeLogin
    const done = this.#fault(error)
    if (this.#over || this.#reader.refuse(allowance)) return done
    return this.#bye('TOOBIG', 'The literal is too large')
  }

  #announceMessage(message: AppendStart, { size, synchronising }: Announced): Step {
    this.#head = null
    this.#intake.announce(size, synchronising)
    this.#ask = 'append'
    const { mailbox, flags, internalDate } = message
    return { type: 'append', tag: this.#tag, mailbox, flags, internalDate, size }
  }

  #readMessage(): Step {
    const found = this.#intake.next()
    if (found === null) return null
    if (typeof found !== 'string') return { type: 'appendData', chunk: found }
    this.#phase = 'command'
    if (found === 'complete') {
      this.#ask = 'appendEnd'
      return { type: 'appendEnd', tag: this.#tag }
    }
    const what = this.#intake.found?.type
    if (what === 'flood') this.#bye('TOOBIG', 'The command is too large')
    else if (what === 'literal') this.#refuseLiteral(malformed('One message at a time'), true)
    else this.#bad('Unexpected text after the message')
    return { type: 'appendAbort' }
  }

  #readExchange(): Step {
    const authentication = this.#authentication
    const answered = this.#answeredStep
    if (authentication === null) return null
    if (answered !== null) {
      this.#answeredStep = null
      return this.#exchangeStep(authentication, answered)
    }
    const line = this.#reader.line(EXCHANGE_LINE)
    if (line === null) return null
    this.#authentication = null
    this.#phase = 'command'
    this.#log.secretLine()
    if (line === 'flood') return this.#bye('TOOBIG', 'The line is too long')
    if (line === 'tooLong') return this.#bad('The line is too long')
    try {
      return this.#exchangeStep(authentication, authentication.respond(line))
    } catch (error) {
      return this.#fault(error)
    }
  }

  #exchangeStep(authentication: ServerAuthentication, step: AuthenticationStep): Step {
    const { mechanism, user } = authentication
    this.#authentication = null
    this.#phase = 'command'
    switch (step.type) {
      case 'challenge':
        this.#output.challenge(step.text)
        this.#authentication = authentication
        this.#phase = 'exchange'
        return 'again'
      case 'question':
        this.#authentication = authentication
        this.#ask = 'authenticate'
        return { type: 'authenticate', tag: this.#tag, mechanism, question: step.question }
      case 'outcome':
        this.#ask = 'login'
        return { type: 'login', tag: this.#tag, mechanism, user, result: step.result }
    }
  }

  /** `idle = "IDLE" CRLF "DONE"` (RFC 2177 section 4) */
  #readDone(): Step {
    const line = this.#reader.line(DONE_LINE)
    if (line === null) return null
    if (line === 'flood') return this.#bye('TOOBIG', 'The line is too long')
    this.#idleFault = !/^DONE\r\n$/i.test(line)
    if (this.#idleFault) this.#log.secretLine()
    else this.#log.commandLine(line, false, true)
    this.#phase = 'command'
    this.#ask = 'idleDone'
    return { type: 'idleDone', tag: this.#tag }
  }

  #capabilities(): readonly string[] {
    return capabilities(this.#facts, this.#loggedIn, this.#secure)
  }

  #capabilityCode(): string {
    return `CAPABILITY ${this.#capabilities().join(' ')}`
  }

  #literalWait(kind: string): Wait {
    return { kind, ms: this.#limits.literalTimeout, minRate: this.#limits.literalRate }
  }

  /** Ends the command under way, and the session after too many bad ones in a row. */
  #reply(status: Status, code: string | null, text: string): void {
    this.#output.reply(this.#tag, status, code, text)
    this.#tag = ''
    this.#head = null
    this.#idleFault = false
    if (this.#loggedIn) this.#wait = { kind: 'command', ms: this.#limits.commandTimeout }
    this.#errors = status === 'BAD' ? this.#errors + 1 : 0
    const { errors, errorsBeforeLogin } = this.#limits
    const most = this.#loggedIn ? errors : errorsBeforeLogin
    if (this.#errors >= most) this.#bye(null, 'Too many bad commands')
  }

  #bad(text: string): Step {
    this.#reply('BAD', null, text)
    return 'again'
  }

  /** Answers a command with the fault that parsing it came to. */
  #fault(error: unknown): Step {
    if (!(error instanceof CommandFault)) throw error
    this.#reply(error.status, error.responseCode, error.message)
    return 'again'
  }

  #bye(code: string | null, text: string): Step {
    if (this.#phase !== 'upgrade') this.#output.bye(code, text)
    return this.#close()
  }

  /** Ends the session for the host's reason. */
  #end(reason: ShutdownReason): void {
    if (this.#phase !== 'upgrade') this.#output.shutdown(reason)
    this.#close()
  }

  #close(): Step {
    if (this.#over) return 'again'
    this.#phase = 'closing'
    this.#peerHasLeft &&= this.#input.size === 0
    this.#ask = null
    this.#authentication = null
    this.#input.clear()
    this.#reader.reset()
    return 'again'
  }
}

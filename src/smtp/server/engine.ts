import { toLatin1 } from '../../core/bytes.js'
import type { Engine, Need, ShutdownReason, TlsInfo, UpgradeKind, Wait } from '../../core/engine.js'
import { UsageError } from '../../core/errors.js'
import type { WireLog } from '../../core/wire-log.js'
import type { Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'
import type { AuthAnswer } from '../../sasl/index.js'
import { describeMechanism } from '../../sasl/index.js'
import { formatReply } from '../grammar/index.js'
import type { Ask } from './command.js'
import { answerExchange, receiveExchangeLine } from './commands/auth.js'
import { receiveChunk, refuseBdat } from './commands/bdat.js'
import { receiveMessage } from './commands/data.js'
import { type Verb, verbs } from './commands/index.js'
import { Conversation } from './conversation.js'
import type { SmtpServerEvent } from './events.js'
import type { ResolvedSmtpServerOptions, SmtpServerOptions } from './options.js'
import { resolveSmtpServerOptions } from './options.js'
import {
  BARE_LINE_FEED,
  badSequence,
  CONTROL_CHARACTER,
  EARLY_TALKER,
  EMPTY_COMMAND,
  LINE_TOO_LONG,
  NEEDS_AUTH,
  NEEDS_TLS,
  refusalOfConnection,
  shutdownReplies,
  TIMED_OUT,
  TOO_MUCH_JUNK,
  UNKNOWN_COMMAND,
  WRONG_PROTOCOL,
} from './replies.js'
import { afterAuth, beforeTls, type SmtpCommandName } from './state.js'

const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09
const PLAIN = /^[\t\x20-\x7e]*$/
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/
/** HTTP, SSH, TLS where it is not spoken, and a PROXY header where none is expected. */
const OTHER_PROTOCOL =
  /^(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE|PATCH|TRACE|PRI|PROXY) |^Host:|^SSH-|^\x16\x03/i
/** Commands answered in one go before a `busy`, and octets of replies. */
const COMMANDS_AT_ONCE = 256
const REPLIES_AT_ONCE = 32_768

/**
 * The server's side of SMTP (RFC 5321) and LMTP (RFC 2033) with the extensions in `extensions/`. Octets in, events out;
 * each ask is answered by `accept`, `reply` or `replyEach`.
 */
export class SmtpServerEngine implements Engine<SmtpServerEvent> {
  readonly options: ResolvedSmtpServerOptions
  readonly #conversation: Conversation
  /** The rest of a line that was too long is passed over. */
  #skipping: boolean
  #ended: boolean
  #answeredAtOnce: number
  /** No known command since AUTH: a client that does not wait for its answer may send a password as a command. */
  #afterAuth: boolean
  #closing: Reply | null

  /** UsageError `OPTION` or `LIMIT` for options that cannot work. */
  constructor(options: SmtpServerOptions | ResolvedSmtpServerOptions) {
    this.options = resolveSmtpServerOptions(options)
    this.#conversation = new Conversation(this.options)
    this.#skipping = false
    this.#ended = false
    this.#answeredAtOnce = 0
    this.#afterAuth = false
    this.#closing = null
  }

  /** TLS is in place. */
  get secure(): boolean {
    return this.#conversation.secure
  }

  get need(): Need {
    const { mode, pending } = this.#conversation
    if (pending !== null) return 'answer'
    if (mode === 'upgrade' || mode === 'closed') return mode
    return 'input'
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
    return this.#conversation.output.take()
  }

  receive(chunk: Uint8Array): void {
    const { mode, input } = this.#conversation
    if (mode !== 'upgrade' && mode !== 'closed') input.push(chunk)
  }

  receiveEnd(): void {
    this.#ended = true
  }

  next(): SmtpServerEvent | null {
    const conversation = this.#conversation
    for (;;) {
      const event = conversation.takeEvent()
      if (event !== null) return event
      if (conversation.pending !== null) return null
      switch (conversation.mode) {
        case 'greeting':
          if (!this.#greet()) return null
          break
        case 'command':
        case 'exchange':
          if (this.#isBusy()) return { type: 'busy' }
          if (!this.#nextLine() && !this.#endOfInput()) return null
          break
        case 'message':
          if (conversation.input.size === 0 && !this.#endOfInput()) return null
          if (conversation.message !== null) receiveMessage(conversation, conversation.message)
          break
        case 'chunk':
          if (conversation.chunk !== null && receiveChunk(conversation, conversation.chunk)) break
          if (!this.#endOfInput()) return null
          break
        case 'upgrade':
          if (!this.#endOfInput()) return null
          break
        case 'closed':
          return null
        default:
          return conversation.mode satisfies never
      }
    }
  }

  /**
   * Answers the ask with its usual yes: 220, 250, 354 or 235; a login that has failed with its refusal. UsageError
   * `NO_QUESTION` when nothing was asked, `REPLY` for `authenticate`.
   */
  accept(): void {
    const { pending } = this.#conversation
    this.#answer(pending, pending?.acceptance ?? null)
  }

  /**
   * Answers the ask. A code below 400 is a yes; HELO, EHLO and DATA have their own words for that. 421 closes.
   * UsageError `NO_QUESTION` when nothing was asked, `REPLY` when the reply cannot be sent; after the end of the
   * session an answer is void.
   */
  reply(answer: Reply): void {
    const { pending } = this.#conversation
    formatReply(answer)
    if (answer.code >= 300 && answer.code < 400 && pending?.acceptance.code !== 354) {
      throw new UsageError('REPLY', `${answer.code} is no answer to this question`)
    }
    this.#answer(pending, answer)
  }

  /**
   * Answers `dataEnd` in LMTP: a reply for each accepted recipient, in order (RFC 2033 section 4.2). UsageError `REPLY`
   * where their number is wrong or one cannot be sent, `NO_QUESTION` where that is not the question.
   */
  replyEach(answers: readonly Reply[]): void {
    const { pending, mode } = this.#conversation
    for (const answer of answers) formatReply(answer)
    if (mode === 'closed') return
    const each = pending?.answeredEach
    if (each === undefined) throw new UsageError('NO_QUESTION', 'no message waits for replies')
    const { recipients, lmtp } = this.#conversation
    if (!lmtp || answers.length !== recipients || answers.some(({ code }) => code >= 300 && code < 400)) {
      throw new UsageError(
        'REPLY',
        `${answers.length} replies do not answer for ${recipients} recipients of LMTP`,
      )
    }
    this.#conversation.pending = null
    each(this.#conversation, answers)
    this.#settled()
  }

  /** Answers `authenticate`. UsageError `NO_QUESTION` or `ANSWER` where that is not what was asked. */
  answerAuth(answer: AuthAnswer): void {
    const conversation = this.#conversation
    if (conversation.mode === 'closed') return
    if (this.#closing === null) answerExchange(conversation, answer)
    this.#settled()
  }

  upgraded(_kind: UpgradeKind, info: TlsInfo | null): void {
    const conversation = this.#conversation
    if (conversation.mode !== 'upgrade') return
    conversation.secure = true
    conversation.extended = false
    conversation.authenticated = false
    conversation.state = 'start'
    conversation.expectCommand()
    conversation.tell({ type: 'tls', info })
    if (this.#closing !== null) conversation.closeWith(this.#closing, 'shutdown')
  }

  shutdown(reason: ShutdownReason): void {
    const conversation = this.#conversation
    const farewell = shutdownReplies[reason]
    const answerComes = conversation.pending !== null && reason !== 'internalError'
    if (answerComes || conversation.mode === 'upgrade') this.#closing ??= farewell
    else conversation.closeWith(farewell, 'shutdown')
  }

  lost(): void {
    this.#conversation.close('lost')
    this.#conversation.output.clear()
  }

  timedOut(): void {
    const conversation = this.#conversation
    if (conversation.pending !== null) return
    if (conversation.mode === 'greeting') conversation.greeting = 'due'
    else conversation.closeWith(TIMED_OUT, 'timeout')
  }

  #answer(ask: Ask | null, answer: Reply | null): void {
    const conversation = this.#conversation
    if (conversation.mode === 'closed') return
    if (ask === null || answer === null) throw new UsageError('NO_QUESTION', 'there is no question to answer')
    if (ask.acceptance.code === 334 && answer.code < 400) {
      throw new UsageError('REPLY', 'an exchange is answered by answerAuth, or refused by a reply')
    }
    conversation.pending = null
    if (this.#closing === null || !invites(ask)) ask.answered(conversation, answer)
    this.#settled()
  }

  #settled(): void {
    const conversation = this.#conversation
    if (this.#closing !== null) conversation.closeWith(this.#closing, 'shutdown')
  }

  /** False while the greeting is held back. Who speaks before it is no mail server; a trusted proxy may (XCLIENT). */
  #greet(): boolean {
    const conversation = this.#conversation
    if (conversation.input.size > 0 && !conversation.proxied) conversation.closeWith(EARLY_TALKER, 'protocol')
    else if (conversation.input.size === 0 && this.#endOfInput()) return true
    else if (conversation.greeting === 'ask') conversation.ask(greetingAsk, { type: 'connect' })
    else if (conversation.greeting === 'due') sayGreeting(conversation)
    else return false
    return true
  }

  /** The client has ended its side and everything before is answered: whatever was begun is dropped. */
  #endOfInput(): boolean {
    if (this.#ended) this.#conversation.close('lost')
    return this.#ended
  }

  /** One flood must neither fill memory with replies nor keep the others waiting. */
  #isBusy(): boolean {
    const { input, output } = this.#conversation
    if (input.size === 0) return false
    if (this.#answeredAtOnce < COMMANDS_AT_ONCE && output.size < REPLIES_AT_ONCE) return false
    if (this.#answeredAtOnce === 0) return false
    this.#answeredAtOnce = 0
    return true
  }

  /** Takes one line and acts on it; false when there is none yet. */
  #nextLine(): boolean {
    const conversation = this.#conversation
    const { input, options } = conversation
    if (this.#skipping) {
      if (!input.skipLine()) return false
      this.#skipping = false
    }
    const size = input.lineSize(options.limits.authOctets)
    if (size === 0) return false
    this.#answeredAtOnce++
    if (size === -1) {
      this.#skipping = true
      this.#tooLong()
      return true
    }
    const { head, offset } = input
    input.skip(size)
    let end = offset + size - 1
    const bare = size === 1 || head[end - 1] !== CR
    if (!bare) end--
    if (conversation.mode === 'exchange') {
      options.wireLog?.secret('client', '***')
      if (bare) this.#abandonExchange(BARE_LINE_FEED)
      else receiveExchangeLine(conversation, toLatin1(head, offset, end))
      return true
    }
    while (end > offset && (head[end - 1] === SPACE || head[end - 1] === TAB)) end--
    this.#command(head, offset, end, bare, size)
    return true
  }

  #tooLong(): void {
    this.options.wireLog?.secret('client', '(line too long)')
    if (this.#conversation.mode === 'exchange') this.#abandonExchange(LINE_TOO_LONG)
    else {
      this.#conversation.expectCommand()
      this.#conversation.say(LINE_TOO_LONG)
    }
  }

  #abandonExchange(answer: Reply): void {
    this.#conversation.exchange = null
    this.#conversation.expectCommand()
    this.#conversation.say(answer)
  }

  /** The command that stands from `from` to `end`; its line has `size` octets. */
  #command(octets: Buffer, from: number, end: number, bareLf: boolean, size: number): void {
    const conversation = this.#conversation
    const { limits, wireLog } = this.options
    let verbEnd = from
    while (verbEnd < end && octets[verbEnd] !== SPACE) verbEnd++
    const verb = verbs.findOctets(octets, from, verbEnd)
    if (size > limits.commandOctets && (verb?.command.name !== 'AUTH' || verbEnd === end)) {
      this.#tooLong()
      return
    }
    conversation.expectCommand()
    if (wireLog !== null) this.#logLine(wireLog, toLatin1(octets, from, end), verb?.command.name ?? null)
    if (verb === undefined) {
      this.#unknown(toLatin1(octets, from, end), bareLf)
      return
    }
    const argument = verbEnd === end ? '' : toLatin1(octets, verbEnd + 1, end)
    const usual = verb.command.usual?.test(argument) ?? false
    conversation.plain = usual || argument === '' || PLAIN.test(argument)
    if (bareLf) conversation.say(BARE_LINE_FEED)
    else if (!conversation.plain && CONTROL.test(argument)) conversation.say(CONTROL_CHARACTER)
    else if (verb.isJunk && ++conversation.junk > limits.junkCommands) {
      conversation.closeWith(TOO_MUCH_JUNK, 'limit')
    } else {
      const { command } = verb
      const refusal = this.#refusal(verb)
      if (refusal === null) command.receive(conversation, argument, usual)
      else if (command.name === 'DATA') conversation.sayNoMessage(refusal)
      else if (command.name === 'BDAT') refuseBdat(conversation, argument.trimStart(), refusal)
      else conversation.say(refusal)
    }
  }

  #unknown(line: string, bareLf: boolean): void {
    const conversation = this.#conversation
    if (OTHER_PROTOCOL.test(line)) conversation.closeWith(WRONG_PROTOCOL, 'protocol')
    else if (bareLf) conversation.say(BARE_LINE_FEED)
    else if (CONTROL.test(line)) conversation.say(CONTROL_CHARACTER)
    else conversation.say(line === '' ? EMPTY_COMMAND : UNKNOWN_COMMAND)
  }

  /** Why this command may not come now, or null. */
  #refusal({ command: { name }, sequence }: Verb): Reply | null {
    const { secure, authenticated, state } = this.#conversation
    if (this.options.requireTls && !secure && !beforeTls.has(name)) return NEEDS_TLS
    const wrong = sequence[state]
    if (wrong !== null) return badSequence(wrong)
    return this.options.requireAuth && !authenticated && afterAuth.has(name) ? NEEDS_AUTH : null
  }

  #logLine(wireLog: WireLog, line: string, known: SmtpCommandName | null): void {
    if (/^\s*AUTH/i.test(line)) {
      const mechanism = line.split(' ')[1]?.toUpperCase() ?? ''
      wireLog.secret(
        'client',
        describeMechanism(mechanism) === undefined ? 'AUTH ***' : `AUTH ${mechanism} ***`,
      )
    } else if (known === null && this.#afterAuth) wireLog.secret('client', '***')
    else wireLog.line('client', line)
    if (known !== null) this.#afterAuth = known === 'AUTH'
  }
}

/** A yes would have the client begin something. */
function invites({ acceptance }: Ask): boolean {
  return acceptance.code === 220 || acceptance.code === 354
}

/** RFC 5321 sections 3.1 and 3.8: 220, or 554 or 421 and close. */
const greetingAsk: Ask = {
  acceptance: reply(220, '', 'ESMTP'),
  answered(conversation, answer) {
    const { greetingDelayMs } = conversation.options
    if (answer.code >= 400) {
      conversation.closeWith(refusalOfConnection(answer), 'refused')
    } else if (conversation.proxied) {
      sayGreeting(conversation)
    } else if (conversation.input.size > 0) {
      conversation.closeWith(EARLY_TALKER, 'protocol')
    } else if (greetingDelayMs > 0) {
      conversation.greeting = 'delayed'
      conversation.wait = { kind: 'greeting', ms: greetingDelayMs }
    } else {
      sayGreeting(conversation)
    }
  },
}

function sayGreeting(conversation: Conversation): void {
  const { hostname, greeting } = conversation.options
  conversation.say(reply(220, '', `${hostname} ${greeting}`))
  conversation.expectCommand()
}

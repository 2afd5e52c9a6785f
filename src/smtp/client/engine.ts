import type { Engine, Need, ShutdownReason, TlsInfo, UpgradeKind, Wait } from '../../core/engine.js'
import { PeerError, UsageError } from '../../core/errors.js'
import type { Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'
import { AuthExchange } from './auth-exchange.js'
import type { ReplyTo } from './channel.js'
import { Channel } from './channel.js'
import type { SmtpEnvelope } from './envelope.js'
import type { SmtpClientCloseReason, SmtpClientEvent } from './events.js'
import type { SmtpExtensions } from './extensions.js'
import { readExtensions } from './extensions.js'
import type { ResolvedSmtpClientOptions, SmtpClientOptions } from './options.js'
import { resolveSmtpClientOptions } from './options.js'
import { refusal } from './refusal.js'
import { ReplyReader } from './reply-reader.js'
import type { SmtpClientState } from './state.js'
import { afterHello } from './state.js'
import { Transaction } from './transaction.js'

/**
 * The client's side of SMTP and LMTP (RFC 5321, RFC 2033). By itself it greets, puts TLS under the session and logs in,
 * as its options say; then the host sends messages, one after the other: `send`, then `write` and `end` when need is
 * `data`. Commands go out together where the peer takes that (RFC 2920), the message in chunks (RFC 3030) or with dots.
 */
export class SmtpClientEngine implements Engine<SmtpClientEvent> {
  readonly options: ResolvedSmtpClientOptions
  readonly #channel: Channel
  readonly #replies: ReplyReader
  readonly #events: SmtpClientEvent[]
  #state: SmtpClientState
  #secure: boolean
  #peerVerified: boolean
  #authenticated: boolean
  #ended: boolean
  #extensions: SmtpExtensions
  #auth: AuthExchange | null
  #transaction: Transaction | null
  /** The one whose commands went out behind the message of the one before it. */
  #following: Transaction | null
  #resetDue: boolean
  #bodyAnnounced: boolean
  #closing: boolean
  #peerHasLeft: boolean

  /** UsageError `OPTION`, `LIMIT` or `CREDENTIALS` for options that cannot work. */
  constructor(options: SmtpClientOptions) {
    this.options = resolveSmtpClientOptions(options)
    this.#channel = new Channel(this.options)
    this.#replies = new ReplyReader(this.options.limits)
    this.#events = []
    this.#state = 'greeting'
    this.#secure = this.options.secure
    this.#peerVerified = this.options.secure && this.options.peerVerified
    this.#authenticated = false
    this.#ended = false
    this.#extensions = readExtensions(null)
    this.#auth = this.options.credentials === null ? null : new AuthExchange(this.options)
    this.#transaction = null
    this.#following = null
    this.#resetDue = false
    this.#bodyAnnounced = false
    this.#closing = false
    this.#peerHasLeft = false
    this.#channel.expect('greeting')
  }

  /** What the peer offers at this moment of the session. */
  get extensions(): SmtpExtensions {
    return this.#extensions
  }

  /** TLS is in place. */
  get secure(): boolean {
    return this.#secure
  }

  /** The session waits for a message, or for QUIT. */
  get ready(): boolean {
    return this.#state === 'ready'
  }

  /** `send` may be called: the session is ready, or what it sends may be followed (the event `sent`). */
  get accepts(): boolean {
    if (this.#state === 'ready') return true
    return (
      this.#state === 'transaction' && this.#following === null && this.#transaction?.mayBeFollowed === true
    )
  }

  get need(): Need {
    if (this.#state === 'upgrade' || this.#state === 'closed') return this.#state
    return this.#transaction?.open === true ? 'data' : 'input'
  }

  /** It has answered our QUIT. */
  get peerHasLeft(): boolean {
    return this.#peerHasLeft
  }

  get wait(): Wait {
    return this.#channel.wait
  }

  get outputSize(): number {
    return this.#channel.output.size
  }

  takeOutput(): readonly Uint8Array[] {
    return this.#channel.output.take()
  }

  /** Octets in clear where TLS is to begin would be taken for what comes after it (RFC 3207 section 5): they end the session. */
  receive(chunk: Uint8Array): void {
    if (this.#state === 'upgrade') this.#injected()
    else if (this.#state !== 'closed') this.#channel.input.push(chunk)
  }

  receiveEnd(): void {
    this.#ended = true
  }

  next(): SmtpClientEvent | null {
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) return event
      if (this.#state === 'closed' || this.#state === 'upgrade') return null
      if (this.#nextReply()) continue
      if (!this.#ended) return null
      this.#fail('lost', new PeerError('LOST', 'the peer closed the connection'))
    }
  }

  /**
   * Begins a message. UsageError `STATE` unless the engine `accepts` one, `ENVELOPE` for an envelope that cannot be sent
   * to anyone. A message that this peer cannot take gets its outcome without a word to the peer; so does one that the
   * caller has found to be such, with `refusal`.
   */
  send(envelope: SmtpEnvelope, refusal: Reply | null = null): void {
    if (!this.accepts) throw this.#notReady()
    const transaction = new Transaction(envelope, {
      refusal,
      channel: this.#channel,
      extensions: this.#extensions,
      options: this.options,
      secure: this.#secure,
      peerVerified: this.#peerVerified,
      authenticated: this.#authenticated,
    })
    if (this.#transaction === null) this.#transaction = transaction
    else this.#following = transaction
    this.#state = 'transaction'
    if (this.#resetDue && transaction.phase !== 'done') {
      this.#resetDue = false
      this.#channel.command('RSET', 'reset')
    }
    this.#proceed()
  }

  /**
   * The next octets of the message, uncopied: the caller must not change them afterwards. False when they are not
   * wanted, since the message has failed meanwhile. UsageError `STATE` while the peer is not ready for them.
   */
  write(chunk: Uint8Array): boolean {
    const transaction = this.#wanting()
    if (transaction === null) return false
    transaction.write(chunk)
    this.#proceed()
    return true
  }

  /** The message is complete. False, and UsageError, as with `write`. */
  end(): boolean {
    const transaction = this.#wanting()
    if (transaction === null) return false
    transaction.end()
    if (transaction.mayBeFollowed) this.#events.push({ type: 'sent' })
    this.#proceed()
    return true
  }

  /** Ends the session politely. UsageError `STATE` unless `ready`. */
  quit(): void {
    if (this.#state !== 'ready') throw this.#notReady()
    this.#sayQuit()
  }

  upgraded(_kind: UpgradeKind, info: TlsInfo | null): void {
    if (this.#state !== 'upgrade') return
    this.#secure = true
    this.#peerVerified = info?.peerVerified ?? false
    this.#extensions = readExtensions(null)
    this.#events.push({ type: 'tls', info })
    if (this.#closing) this.#close('shutdown', null)
    else this.#hello()
  }

  /** A session that waits for a message says QUIT; a message on its way is given up. */
  shutdown(_reason: ShutdownReason): void {
    if (this.#state === 'ready') this.#sayQuit()
    else if (this.#state === 'upgrade') this.#closing = true
    else if (this.#state !== 'quit') this.#close('shutdown', null)
  }

  /** What the peer said before is still heard. */
  lost(): void {
    while (this.#state !== 'closed' && this.#state !== 'upgrade' && this.#nextReply());
    this.#fail('lost', new PeerError('LOST', 'the connection broke'))
    this.#channel.output.clear()
  }

  timedOut(): void {
    const { kind, ms } = this.#channel.wait
    this.#fail('timeout', new PeerError('TIMEOUT', `no reply to ${kind.toUpperCase()} in ${ms} ms`))
  }

  #notReady(): UsageError {
    return new UsageError('STATE', `the session is not ready but in ${this.#state}`)
  }

  #wanting(): Transaction | null {
    const transaction = this.#transaction
    if (transaction === null || transaction.phase === 'final') return null
    if (!transaction.open) throw new UsageError('STATE', 'the peer is not ready for the message yet')
    return transaction
  }

  /** Takes one reply and acts on it; false when there is none yet. */
  #nextReply(): boolean {
    const said = this.#replies.read(this.#channel.input)
    if (said === null) return false
    if (said instanceof PeerError) {
      this.#fail('protocol', said)
      return true
    }
    this.#log(said)
    const to = this.#channel.head
    if (said.code === 421 && to !== 'quit') this.#fail('refused', refusal('the peer is closing', said), said)
    else if (to === undefined) this.#unasked(said)
    else {
      this.#channel.take()
      this.#replied(to, said)
    }
    return true
  }

  #replied(to: ReplyTo, said: Reply): void {
    const good = said.code < 300
    switch (to) {
      case 'greeting':
        this.#events.push({ type: 'greeting', reply: said })
        if (said.code === 220) this.#hello()
        else this.#refused('the peer does not want us', said)
        return
      case 'ehlo':
        if (good) this.#greeted(said)
        else if (said.code >= 500 && !this.options.lmtp)
          this.#channel.command(`HELO ${this.options.hostname}`, 'helo')
        else this.#refused('the peer refuses our greeting', said)
        return
      case 'helo':
        if (good) this.#greeted(null)
        else this.#refused('the peer refuses our greeting', said)
        return
      case 'startTls':
        this.#startTlsReplied(said)
        return
      case 'auth':
        this.#authReplied(said)
        return
      case 'quit':
        this.#peerHasLeft = this.#channel.input.size === 0
        this.#close('quit', null)
        return
      case 'reset':
        if (!good) this.#refused('the peer does not let go of the last message', said)
        else this.#proceed()
        return
      default: {
        const error = this.#transaction?.replied(to, said) ?? null
        if (error !== null) this.#fail('protocol', error)
        else this.#proceed()
      }
    }
  }

  /** RFC 5321 section 4.1.4: what an earlier EHLO said is forgotten. */
  #hello(): void {
    this.#state = 'hello'
    this.#channel.command(`${this.options.lmtp ? 'LHLO' : 'EHLO'} ${this.options.hostname}`, 'ehlo')
  }

  #greeted(said: Reply | null): void {
    this.#extensions = readExtensions(said)
    this.#events.push({ type: 'hello', extensions: this.#extensions })
    const next = afterHello({
      tlsOffered: this.#extensions.startTls,
      startTls: this.options.startTls,
      secure: this.#secure,
      login: this.#auth !== null,
    })
    if (next === 'noTls') this.#tlsMissing('the peer does not offer STARTTLS')
    else this.#enter(next)
  }

  #enter(state: 'startTls' | 'auth' | 'ready'): void {
    this.#state = state
    if (state === 'startTls') this.#channel.command('STARTTLS', 'startTls')
    else if (state === 'auth') this.#authenticate()
    else this.#events.push({ type: 'ready' })
  }

  #startTlsReplied(said: Reply): void {
    if (said.code === 220) {
      this.#state = 'upgrade'
      if (this.#channel.input.size > 0) this.#injected()
    } else if (said.code < 400) {
      this.#fail('protocol', new PeerError('OUT_OF_TURN', `${said.code} is no reply to STARTTLS`))
    } else if (this.options.startTls === 'required') {
      this.#tlsMissing(`the peer refuses STARTTLS: ${said.code} ${said.lines[0] ?? ''}`)
    } else {
      this.#enter(this.#auth === null ? 'ready' : 'auth')
    }
  }

  #tlsMissing(message: string): void {
    this.#giveUp('policy', new PeerError('TLS_REQUIRED', message))
  }

  #injected(): void {
    const message = 'octets came between the go-ahead for TLS and its handshake'
    this.#fail('protocol', new PeerError('TLS_INJECTION', message))
  }

  #authenticate(): void {
    const auth = this.#auth as AuthExchange
    const next = auth.begin(this.#extensions.mechanisms, this.#secure)
    if (next instanceof PeerError) this.#giveUp('policy', next)
    else this.#channel.command(next.line, 'auth', next.shown)
  }

  #authReplied(said: Reply): void {
    const auth = this.#auth as AuthExchange
    const next = auth.replied(said)
    if (next === 'again') this.#authenticate()
    else if (next === 'done') {
      this.#authenticated = true
      this.#events.push({ type: 'authenticated', mechanism: auth.mechanism })
      this.#enter('ready')
    } else if (next instanceof PeerError) {
      if (next.code === 'REFUSED') this.#giveUp('refused', next)
      else {
        // The exchange is cancelled before the session ends (RFC 4954 section 4).
        if (said.code === 334) this.#channel.command('*', 'auth')
        this.#fail('policy', next)
      }
    } else this.#channel.command(next.line, 'auth', next.shown)
  }

  /** Moves the transactions on, and tells the host what it may do. */
  #proceed(): void {
    this.#transaction?.advance()
    while (this.#transaction?.phase === 'done') {
      this.#finish(this.#transaction)
      this.#transaction?.advance()
    }
    this.#following?.advance()
    if (this.#transaction?.open !== true) this.#bodyAnnounced = false
    else if (!this.#bodyAnnounced) {
      this.#bodyAnnounced = true
      this.#events.push({ type: 'body' })
    }
  }

  /** Its outcome is told, and the next one's turn has come. */
  #finish(transaction: Transaction): void {
    this.#transaction = this.#following
    this.#following = null
    if (this.#transaction === null && this.#state === 'transaction') this.#state = 'ready'
    this.#bodyAnnounced = false
    this.#resetDue ||= transaction.unfinished
    this.#events.push({ type: 'message', outcome: transaction.outcome })
  }

  /** A reply that nothing was asked for: only while a message is being sent may it be a refusal of what came so far. */
  #unasked(said: Reply): void {
    if (said.code >= 400 && this.#transaction?.phase === 'body') {
      this.#fail('refused', refusal('the peer refuses the message before its end', said), said)
    } else {
      this.#fail(
        'protocol',
        new PeerError('OUT_OF_TURN', `${said.code} ${said.lines[0] ?? ''} answers nothing`),
      )
    }
  }

  #refused(what: string, said: Reply): void {
    this.#giveUp('refused', refusal(what, said))
  }

  #sayQuit(): void {
    this.#state = 'quit'
    this.#channel.command('QUIT', 'quit')
  }

  /** The session goes no further, and the peer is told. */
  #giveUp(reason: SmtpClientCloseReason, error: PeerError): void {
    this.#channel.command('QUIT', 'quit')
    this.#fail(reason, error)
  }

  /** The session is over, and so is the message. `said` is the peer's word on it, if it has one. */
  #fail(reason: SmtpClientCloseReason, error: PeerError, said?: Reply): void {
    if (this.#state === 'closed') return
    if (this.#state === 'quit') {
      this.#close('quit', null)
      return
    }
    this.#transaction?.fail(said ?? reply(451, '4.4.2', error.message), error)
    this.#close(reason, error)
  }

  #close(reason: SmtpClientCloseReason, error: PeerError | null): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#transaction?.fail(reply(451, '4.3.2', 'The session was ended'), null)
    this.#following?.abandon(error)
    while (this.#transaction !== null) this.#finish(this.#transaction)
    this.#channel.clear()
    this.#channel.input.clear()
    this.#events.push({ type: 'closed', reason, error })
  }

  #log(said: Reply): void {
    const { wireLog } = this.options
    if (wireLog === null) return
    const enhanced = said.enhanced === '' ? '' : `${said.enhanced} `
    said.lines.forEach((line, index) => {
      const separator = index === said.lines.length - 1 ? ' ' : '-'
      if (said.code === 334) wireLog.secret('server', '334 ***')
      else wireLog.line('server', `${said.code}${separator}${enhanced}${line}`)
    })
  }
}

import { PeerError } from '../../core/errors.js'
import type { Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'
import type { BodyWriter } from './body-writer.js'
import { ChunkWriter, DataWriter } from './body-writer.js'
import type { Channel, ReplyTo } from './channel.js'
import type { EnvelopePlan, SmtpEnvelope } from './envelope.js'
import { planEnvelope } from './envelope.js'
import type { MessageOutcome, RecipientOutcome, SmtpStage } from './events.js'
import type { SmtpExtensions } from './extensions.js'
import type { ResolvedSmtpClientOptions } from './options.js'

/** A message of at most so many octets goes out behind its recipients (BDAT), before it is known who is taken. */
const EAGER = 65_536
const NOT_SENT = reply(451, '4.3.0', 'The message was not sent')

/**
 * One mail transaction: MAIL, RCPT and DATA or BDAT, in one group where the peer takes that (RFC 2920 section 3.1),
 * else one by one; and what became of each recipient.
 *
 * `envelope`: commands and their replies; `body`: the host may write; `final`: the message is complete, or not wanted
 * any more, and replies are due; `done`: the outcome is known.
 *
 * Its commands may go out behind the message of the transaction before it, while that still waits for its reply: as
 * replies come in the order of the commands, none of this one's comes before the other is done.
 */
export class Transaction {
  phase: 'envelope' | 'body' | 'final' | 'done'
  /** The peer still has a transaction open that RSET must end. */
  unfinished: boolean
  readonly #channel: Channel
  readonly #extensions: SmtpExtensions
  readonly #lmtp: boolean
  readonly #pipelined: number
  readonly #plan: EnvelopePlan
  readonly #chunking: boolean
  readonly #eager: boolean
  readonly #binary: boolean
  readonly #outcomes: (RecipientOutcome | null)[]
  /** Indexes of recipients that were asked about, in order, and of those taken. */
  readonly #asked: number[]
  readonly #taken: number[]
  #mailSent: boolean
  #mailAnswered: boolean
  #refused: boolean
  #nextRecipient: number
  #answeredRecipients: number
  #dataSent: boolean
  #writer: BodyWriter | null
  #finals: number
  #complete: boolean
  #inDoubt: boolean
  #error: PeerError | null

  /** UsageError `ENVELOPE` for an envelope that cannot be sent to anyone. */
  constructor(
    envelope: SmtpEnvelope,
    session: {
      readonly refusal: Reply | null
      readonly channel: Channel
      readonly extensions: SmtpExtensions
      readonly options: ResolvedSmtpClientOptions
      readonly secure: boolean
      readonly peerVerified: boolean
      readonly authenticated: boolean
    },
  ) {
    const { channel, extensions, options } = session
    this.#channel = channel
    this.#extensions = extensions
    this.#lmtp = options.lmtp
    this.#pipelined = extensions.pipelining ? options.limits.pipelined : 1
    const plan = planEnvelope(envelope, extensions, session)
    this.#plan = session.refusal === null ? plan : { ...plan, refusal: session.refusal }
    this.#binary = envelope.body === 'BINARYMIME'
    this.#chunking = extensions.chunking && (options.chunking || this.#binary)
    // In LMTP a BDAT that nobody was taken for is not answered (RFC 2033 section 4.3).
    const small = !this.#lmtp && (envelope.size ?? Number.POSITIVE_INFINITY) <= EAGER
    this.#eager = this.#chunking && extensions.pipelining && small
    this.#outcomes = this.#plan.recipients.map(() => null)
    this.#asked = []
    this.#taken = []
    this.#mailSent = false
    this.#mailAnswered = false
    this.#refused = false
    this.#nextRecipient = 0
    this.#answeredRecipients = 0
    this.#dataSent = false
    this.#writer = null
    this.#finals = 0
    this.#complete = false
    this.#inDoubt = false
    this.#error = null
    this.phase = 'envelope'
    this.unfinished = false
    this.#begin()
  }

  get outcome(): MessageOutcome {
    return {
      recipients: this.#outcomes.map(
        (outcome, index) => outcome ?? this.#outcomeOf(index, NOT_SENT, 'local'),
      ),
      inDoubt: this.#inDoubt,
      error: this.#error,
      extensions: this.#extensions,
    }
  }

  /** The host may write: the phase is `body` and the peer keeps up. */
  get open(): boolean {
    return this.phase === 'body' && this.#writer?.open === true
  }

  /**
   * Commands of another message may follow in the same group (RFC 2920 section 3.1): this one is out whole, its reply
   * is the one thing that is due to it, and whatever that says, the peer lets go of the transaction (RFC 5321
   * section 4.1.1.4). After a chunk that was refused it would not (RFC 3030 section 2); and there is no need, since a
   * small message in a chunk is in one group with its recipients.
   */
  get mayBeFollowed(): boolean {
    return this.phase === 'final' && this.#complete && this.#pipelined > 1 && !this.#chunking && !this.#lmtp
  }

  write(chunk: Uint8Array): void {
    this.#writer?.write(chunk)
  }

  end(): void {
    this.#writer?.end()
    this.#complete = true
    this.phase = 'final'
  }

  /** Sends what may be sent by now. */
  advance(): void {
    const { recipients } = this.#plan
    while (this.phase === 'envelope' && this.#channel.outstanding < this.#pipelined) {
      if (!this.#mailSent) {
        this.#mailSent = true
        this.#channel.command(this.#plan.mail, 'mail')
      } else if (!this.#refused && this.#nextRecipient < recipients.length) {
        this.#askNextRecipient()
      } else if (!this.#sendData()) {
        return
      }
    }
  }

  /** Takes a reply that was due; a PeerError says that it is none. */
  replied(to: ReplyTo, said: Reply): PeerError | null {
    const kind = Math.floor(said.code / 100)
    if (kind === 3 && to !== 'data') return outOfTurn(to, said)
    switch (to) {
      case 'mail':
        this.#mailAnswered = true
        if (kind === 2) this.unfinished = true
        else this.#refuse(said, 'mail')
        break
      case 'rcpt': {
        const index = this.#asked[this.#answeredRecipients++] as number
        if (kind === 2) this.#taken.push(index)
        else this.#decide(index, said, 'rcpt')
        break
      }
      case 'data':
        if (kind === 2) return outOfTurn(to, said)
        if (kind === 3) this.#beginBody()
        else this.#refuse(said, 'data')
        break
      case 'chunk':
        this.#writer?.answered()
        if (kind !== 2) this.#refuse(said, 'message')
        break
      case 'final':
        this.#final(said, kind === 2)
        break
      default:
        return outOfTurn(to, said)
    }
    this.#settle()
    return null
  }

  /**
   * The connection is over: whoever has no outcome gets this one. A complete message is in doubt then, but where the
   * peer said no, and where it did not even answer MAIL: it was gone before.
   */
  fail(said: Reply, error: PeerError | null): void {
    if (this.phase === 'done') return
    const known = error?.code === 'REFUSED' || !this.#mailAnswered
    this.#inDoubt = this.#complete && !known && this.#outcomes.includes(null)
    this.#error = error
    this.#refuse(said, this.#complete || this.phase === 'body' ? 'message' : 'rcpt')
    this.phase = 'done'
  }

  /** The connection is over before the peer has got to this one. */
  abandon(error: PeerError | null): void {
    this.#error = error
    this.phase = 'done'
  }

  /** Whoever need not be asked about gets an outcome at once; where that is everyone, the peer hears nothing. */
  #begin(): void {
    const { refusal, recipients } = this.#plan
    for (const [index, recipient] of recipients.entries()) {
      const said = refusal ?? recipient.refusal
      if (said !== null) this.#decide(index, said, 'local')
      else this.#asked.push(index)
    }
    if (this.#asked.length === 0) this.phase = 'done'
  }

  #askNextRecipient(): void {
    const index = this.#nextRecipient++
    const recipient = this.#plan.recipients[index]
    if (recipient !== undefined && this.#outcomes[index] === null)
      this.#channel.command(recipient.command, 'rcpt')
  }

  /** Goes on after the recipients; false while that must wait for replies. */
  #sendData(): boolean {
    if (this.#dataSent) return false
    const answered = this.#channel.outstanding === 0
    const mayHope = !this.#refused && (!answered || this.#taken.length > 0)
    if (!mayHope || (this.#chunking && !this.#eager && !answered)) return false
    this.#dataSent = true
    if (this.#chunking) this.#beginBody()
    else this.#channel.command('DATA', 'data')
    return true
  }

  /**
   * With 354 to a DATA that was sent along with its recipients, and none of them taken, an empty message ends the
   * transaction (RFC 2920 section 3.1).
   */
  #beginBody(): void {
    if (this.#chunking) {
      this.#writer = new ChunkWriter(this.#channel, {
        binary: this.#binary,
        pipelining: this.#extensions.pipelining,
      })
    } else {
      this.#writer = new DataWriter(this.#channel)
    }
    this.phase = 'body'
    if (!this.#chunking && this.#taken.length === 0) {
      this.#writer.end()
      this.phase = 'final'
    }
  }

  /** In LMTP there is a reply for each recipient that was taken (RFC 2033 section 4.2), and one where none was. */
  #final(said: Reply, accepted: boolean): void {
    if (this.#finals === 0 && this.#lmtp) {
      for (let more = 1; more < this.#taken.length; more++) this.#channel.expect('final')
    }
    if (accepted) this.unfinished = false
    if (this.#lmtp) this.#decide(this.#taken[this.#finals], said, 'message')
    else for (const index of this.#taken) this.#decide(index, said, 'message')
    this.#finals++
    if (!this.#chunking) this.unfinished = false
  }

  /** The rest is not wanted: everyone without an outcome gets this one. */
  #refuse(said: Reply, stage: SmtpStage): void {
    this.#refused = true
    for (const index of this.#asked) this.#decide(index, said, stage)
    if (this.phase === 'body') this.phase = 'final'
  }

  #decide(index: number | undefined, said: Reply, stage: SmtpStage): void {
    if (index !== undefined) this.#outcomes[index] ??= this.#outcomeOf(index, said, stage)
  }

  #outcomeOf(index: number, said: Reply, stage: SmtpStage): RecipientOutcome {
    const address = this.#plan.recipients[index]?.address ?? ''
    return { address, accepted: said.code < 300 && stage === 'message', reply: said, stage }
  }

  /**
   * The transaction is over when nothing is due and nothing will be sent any more. Where it may be followed, what is due
   * now is another's.
   */
  #settle(): void {
    if (this.mayBeFollowed) this.phase = 'done'
    if (this.#channel.outstanding > 0) return
    if (this.phase === 'final') this.phase = 'done'
    else if (this.phase === 'envelope') {
      const allAsked = this.#answeredRecipients === this.#asked.length
      if (this.#refused || (allAsked && this.#taken.length === 0)) this.phase = 'done'
    }
  }
}

function outOfTurn(to: ReplyTo, said: Reply): PeerError {
  return new PeerError('OUT_OF_TURN', `${said.code} is no reply to ${to.toUpperCase()}`)
}

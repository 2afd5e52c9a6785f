import { replyForError } from '../../core/errors.js'
import { escapeControls } from '../../core/wire-log.js'
import type {
  AuthResult,
  Logger,
  LogLevel,
  LogValue,
  Recipient,
  Reply,
  SessionContext,
} from '../../interfaces/index.js'
import { reply, silentLogger } from '../../interfaces/index.js'

type Fields = Readonly<Record<string, LogValue>>

const LONGEST_USER = 255

/** What a session tells the host's Logger: each event with the session's id and the client's address. */
export class SessionLog {
  readonly #logger: Logger
  readonly #session: { readonly context: SessionContext }

  constructor(logger: Logger, session: { readonly context: SessionContext }) {
    this.#logger = logger
    this.#session = session
  }

  write(level: LogLevel, event: string, fields: Fields): void {
    if (this.#logger === silentLogger) return
    const { id, remoteAddress } = this.#session.context
    this.#logger.log(level, event, { session: id, remote: remoteAddress, ...fields })
  }

  /** Tells of an exception; what the client is told in its place. */
  failed(error: unknown): Reply {
    const { smtp, text } = replyForError(error)
    this.write('error', 'smtp.error', { message: error instanceof Error ? error.message : String(error) })
    return reply(smtp.code, smtp.enhanced, text)
  }

  /** Tells of a refusal, and returns it. */
  refused(step: string, said: Reply, facts: Fields): Reply {
    this.write('info', 'smtp.refused', { step, code: said.code, text: said.lines.join(' '), ...facts })
    return said
  }

  /** Tells of the recipients of a message that do not have it. */
  undelivered(message: string, recipients: readonly Recipient[], replies: readonly Reply[]): void {
    for (const [index, { code, lines }] of replies.entries()) {
      if (code < 300) continue
      const to = recipients[index]?.address ?? ''
      this.write('warn', 'smtp.undelivered', { message, to, code, text: lines.join(' ') })
    }
  }

  /** Tells what a login of `user`, as the client wrote it, has come to. */
  login(mechanism: string, user: string, result: AuthResult): void {
    if (result.ok) this.write('info', 'auth.ok', { mechanism, user: result.user })
    else {
      const name = escapeControls(user.slice(0, LONGEST_USER))
      this.write('warn', 'auth.failed', { mechanism, user: name, failure: result.failure })
    }
  }
}

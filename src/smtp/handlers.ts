import { expectReply, unexpectedAnswer } from '../interfaces/answer.js'
import type {
  AuthContext,
  Authenticator,
  AuthResult,
  BearerCredentials,
  Delivery,
  DeliveryFeatures,
  EnvelopeStart,
  PlainCredentials,
  Policy,
  Recipient,
  Reply,
  SessionContext,
} from '../interfaces/index.js'
import { reply } from '../interfaces/index.js'
import type { IncomingMessage, MessageAnswer } from './session/index.js'
import { simpleDelivery } from './session/index.js'

/**
 * What a handler answers: nothing to go on, a Reply to refuse (from 400 on) or to say instead (250 to 259), or a promise of
 * one of them.
 */
export type HandlerAnswer = Reply | undefined | Promise<Reply | undefined> | Promise<void>

/** What `onAuth` and `onToken` answer: the user's name, which is not empty, to let in; null, undefined or false for a no. */
export type LoginAnswer = string | null | undefined | false

/** What a client logs in with. */
export interface LoginAttempt extends PlainCredentials {
  /** For example `PLAIN`. */
  readonly mechanism: string
}

/** The same, with an access token (RFC 6750) in place of a password. */
export interface TokenAttempt extends BearerCredentials {
  /** `OAUTHBEARER` or `XOAUTH2`. */
  readonly mechanism: string
}

/**
 * What happens in an SMTP session, a function for each step; all may be left out. Beside a returned Reply, an error that is
 * thrown or returned refuses: a MailError with the reply of its kind, an error with a number `responseCode` from 400 to
 * 559 with that code and its message, and any other with 451 and not its message. So does whatever else a handler
 * answers: only what is meant as a yes is one. The logger is told of it.
 */
export interface SmtpHandlers {
  /** Before the greeting. A refusal is said as 421 where it is a 4yz, as 554 else, and closes; a yes is the greeting. */
  onConnect?(session: SmtpSession): HandlerAnswer
  /** The client has said its name, `session.context.helo`. A yes is said in the words of EHLO. */
  onHelo?(session: SmtpSession): HandlerAnswer
  /**
   * Who it is that logs in, or null for wrong credentials (535), as an error with a `responseCode` from 500 on says too. Any
   * other error, and any other answer, is a 454 and lets nobody in. PLAIN and LOGIN are offered where this handler is.
   */
  onAuth?(login: LoginAttempt, session: SmtpSession): LoginAnswer | Promise<LoginAnswer>
  /** Whose the access token is, answered as `onAuth`. OAUTHBEARER (RFC 7628) and XOAUTH2 are offered where this handler is. */
  onToken?(login: TokenAttempt, session: SmtpSession): LoginAnswer | Promise<LoginAnswer>
  onMailFrom?(envelope: EnvelopeStart, session: SmtpSession): HandlerAnswer
  onRcptTo?(recipient: Recipient, session: SmtpSession): HandlerAnswer
  /**
   * The message, while it comes in; the client hears 250 when this resolves. A list of replies is one for each of
   * `message.recipients`, in order. Without this handler messages are taken and dropped.
   */
  onData?(message: IncomingMessage, session: SmtpSession): MessageAnswer
  /** The session is over, however it ended; nothing waits for it. */
  onClose?(session: SmtpSession): void | Promise<void>
}

/** One session as the handlers see it: the same object from onConnect to onClose. */
export class SmtpSession {
  /** For whatever the handlers want to remember. */
  readonly data: Map<string, unknown>
  #context: SessionContext

  constructor(context: SessionContext) {
    this.data = new Map()
    this.#context = context
  }

  /** What is known at this moment: addresses, name, TLS, and how the client speaks. */
  get context(): SessionContext {
    return this.#context
  }

  get id(): string {
    return this.#context.id
  }

  get remoteAddress(): string {
    return this.#context.remoteAddress
  }

  /** Who has logged in, or null. */
  get user(): string | null {
    return this.#context.user
  }

  get secure(): boolean {
    return this.#context.tls !== null
  }

  /** Takes what has become known since; for whoever runs the session. */
  update(context: SessionContext): this {
    this.#context = context
    return this
  }
}

/** What a session is made of, for `startSmtpSession`. */
export interface HandledParts {
  readonly delivery: Delivery
  readonly policy: Policy
  /** Null without `onAuth` and `onToken`. */
  readonly authenticator: Authenticator | null
}

/**
 * Makes the parts of an SMTP session of handlers: for whom the Delivery, Policy and Authenticator interfaces are more than
 * the task needs. `features` are what the handlers can do with a message; 8BITMIME and SMTPUTF8 by default.
 */
export function smtpHandlers(handlers: SmtpHandlers, features: Partial<DeliveryFeatures> = {}): HandledParts {
  const sessions = new Map<string, SmtpSession>()
  const sessionOf = (context: SessionContext): SmtpSession => {
    const known = sessions.get(context.id)
    if (known !== undefined) return known.update(context)
    const session = new SmtpSession(context)
    sessions.set(context.id, session)
    return session
  }
  /** The session knows of each step, whichever handlers there are. */
  const step = async (
    name: Step,
    context: SessionContext,
    ask: (session: SmtpSession) => HandlerAnswer,
  ): Promise<Reply | undefined> => {
    const session = sessionOf(context)
    const said = (await outcomeOf(() => ask(session))) as Reply | undefined
    return said === undefined ? undefined : expectReply(said, name)
  }
  const policy: Policy = {
    connect: (context) => step('onConnect', context, (session) => handlers.onConnect?.(session)),
    helo: (context) => step('onHelo', context, (session) => handlers.onHelo?.(session)),
    mail: (envelope, context) =>
      step('onMailFrom', context, (session) => handlers.onMailFrom?.(envelope, session)),
    recipient: (recipient, _envelope, context) =>
      step('onRcptTo', context, (session) => handlers.onRcptTo?.(recipient, session)),
    closed(context) {
      const session = sessions.get(context.id)
      sessions.delete(context.id)
      return session === undefined ? undefined : handlers.onClose?.(session.update(context))
    },
  }
  const delivery = simpleDelivery(
    async (message) => {
      if (handlers.onData === undefined) {
        for await (const _ of message.body);
        return undefined
      }
      const session = sessionOf(message.context)
      return outcomeOf(() => handlers.onData?.(message, session)) as Promise<
        Reply | readonly Reply[] | undefined
      >
    },
    { smtpUtf8: true, ...features },
  )
  return { delivery, policy, authenticator: authenticatorOf(handlers, sessions) }
}

/** Null where no handler lets anybody in. */
function authenticatorOf(
  handlers: SmtpHandlers,
  sessions: ReadonlyMap<string, SmtpSession>,
): Authenticator | null {
  const { onAuth, onToken } = handlers
  const ask = async <T>(
    name: 'onAuth' | 'onToken',
    handler: (login: T & { mechanism: string }, session: SmtpSession) => unknown,
    credentials: T,
    { mechanism, session: id = '' }: AuthContext,
  ): Promise<AuthResult> => {
    const session = sessions.get(id)
    if (session === undefined) return { ok: false, failure: 'invalid' }
    try {
      return loginResult(name, await handler.call(handlers, { ...credentials, mechanism }, session))
    } catch (error) {
      return { ok: false, failure: replyOf(error).code < 500 ? 'unavailable' : 'invalid' }
    }
  }
  if (onAuth === undefined && onToken === undefined) return null
  return {
    mechanisms: [
      ...(onToken === undefined ? [] : ['OAUTHBEARER', 'XOAUTH2']),
      ...(onAuth === undefined ? [] : ['PLAIN', 'LOGIN']),
    ],
    ...(onAuth && { plain: (credentials, context) => ask('onAuth', onAuth, credentials, context) }),
    ...(onToken && { bearer: (credentials, context) => ask('onToken', onToken, credentials, context) }),
  }
}

type Step = 'onConnect' | 'onHelo' | 'onMailFrom' | 'onRcptTo'

/** What a handler resolves to; an error that asks for a reply is that reply, whether it was thrown or returned. */
async function outcomeOf(ask: () => unknown): Promise<unknown> {
  try {
    const said = await ask()
    if (said instanceof Error) throw said
    return said
  } catch (error) {
    return replyOf(error)
  }
}

/** Nothing but a name lets in: whoever forgot to answer, or answers as smtp-server wants it, has not meant a yes. */
function loginResult(name: 'onAuth' | 'onToken', said: unknown): AuthResult {
  if (typeof said === 'string' && said !== '') return { ok: true, user: said }
  if (said === null || said === undefined || said === false) return { ok: false, failure: 'invalid' }
  if (said instanceof Error) throw said
  throw unexpectedAnswer(said, name, "the user's name, a string, to let in, or null for wrong credentials")
}

/** The reply that an error with a `responseCode` asks for; throws any other. */
function replyOf(error: unknown): Reply {
  const { responseCode, message } = error as { responseCode?: unknown; message?: unknown }
  if (typeof responseCode !== 'number' || !(responseCode >= 400 && responseCode < 560)) throw error
  const text = typeof message === 'string' && message !== '' ? message : 'Refused'
  return reply(responseCode, `${Math.floor(responseCode / 100)}.0.0`, text.replace(/[\x00-\x1f\x7f]+/g, ' '))
}

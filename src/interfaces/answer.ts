import { UsageError } from '../core/errors.js'
import type { AuthFailure, AuthResult } from './authenticator.js'
import type { CommitResult, Transaction } from './delivery.js'
import type { Reply } from './reply.js'

// What a host's functions resolve to, looked at: a host in plain JavaScript may resolve to anything, and what was not meant
// as a yes must never be taken for one. An Error that was returned counts as thrown.

const failures: Readonly<Record<AuthFailure, true>> = {
  invalid: true,
  unavailable: true,
  throttled: true,
  disabled: true,
}

/** Throws an Error that was given, and UsageError `ANSWER`, which names who gave it, for what is no Reply. */
export function expectReply(given: unknown, from = 'the host'): Reply {
  const { code, enhanced, lines } = fieldsOf(given)
  // 354 is the engine's own word, and no other 3yz is of SMTP.
  const decides = typeof code === 'number' && !(code >= 300 && code < 400)
  const fits = decides && typeof enhanced === 'string' && Array.isArray(lines)
  if (!fits || lines.length === 0 || !lines.every((line) => typeof line === 'string')) {
    throw unexpectedAnswer(given, from, "undefined to go on, or a Reply as in reply(550, '5.7.1', 'Refused')")
  }
  return given as Reply
}

/** Throws as `expectReply` does for what neither lets in nor says why not. */
export function expectAuthResult(given: unknown): AuthResult {
  const { ok, user, failure } = fieldsOf(given)
  const allowed = ok === true && typeof user === 'string' && user !== ''
  const refused = ok === false && typeof failure === 'string' && Object.hasOwn(failures, failure)
  if (!allowed && !refused) {
    const right = "{ ok: true, user } with the user's name, or { ok: false, failure: 'invalid' }"
    throw unexpectedAnswer(given, 'the authenticator', right)
  }
  return given as AuthResult
}

/** Throws as `expectReply` does for what is neither a transaction nor a refusal. */
export function expectTransaction(given: unknown): Transaction | Reply {
  if (typeof fieldsOf(given).commit === 'function') return given as Transaction
  const refusal = expectReply(given, 'the delivery')
  if (refusal.code < 300) throw unexpectedAnswer(given, 'the delivery', 'a Transaction to go on')
  return refusal
}

/** Throws as `expectReply` does for what is no reply for all, and no list of replies. */
export function expectCommitResult(given: unknown): CommitResult {
  const { reply, recipients } = fieldsOf(given)
  if (Array.isArray(recipients)) for (const each of recipients) expectReply(each, 'the delivery')
  else expectReply(reply, 'the delivery')
  return given as CommitResult
}

/** One reply for each recipient, not one for all. */
export function isReplyList(given: Reply | readonly Reply[]): given is readonly Reply[] {
  return Array.isArray(given)
}

/** Of anything; throws an Error that was given. */
export function fieldsOf(given: unknown): Readonly<Record<string, unknown>> {
  if (given instanceof Error) throw given
  return typeof given === 'object' && given !== null ? (given as Readonly<Record<string, unknown>>) : {}
}

/** UsageError `ANSWER`: who gave what, and what is right. It holds nothing of a value that may be secret. */
export function unexpectedAnswer(given: unknown, from: string, right: string): UsageError {
  const plain = given === null || given === undefined || typeof given === 'boolean'
  return new UsageError(
    'ANSWER',
    `${from} gave ${plain ? String(given) : `some ${typeof given}`}, which is no answer; give ${right}`,
  )
}

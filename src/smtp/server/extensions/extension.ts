import type { EnvelopeStart, Recipient, Reply } from '../../../interfaces/index.js'
import type { Conversation } from '../conversation.js'

type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** An envelope or a recipient while its parameters are read. */
export type EnvelopeDraft = Draft<EnvelopeStart>
export type RecipientDraft = Draft<Recipient>

/** Writes the value of one parameter into the draft, or says what is wrong with it; null where no value was given. */
export type ParameterReader<T> = (value: string | null, draft: T, conversation: Conversation) => Reply | null

/** A service extension (RFC 5321 section 2.2). */
export interface Extension {
  /** Its lines in the answer to EHLO; none while it is not offered. */
  offer(conversation: Conversation): readonly string[]
  /** Its parameters are known; where it is left out, while there are lines. */
  readonly known?: (conversation: Conversation) => boolean
  /** The parameters it adds to MAIL, by keyword. */
  readonly mail?: Readonly<Record<string, ParameterReader<EnvelopeDraft>>>
  /** The parameters it adds to RCPT, by keyword. */
  readonly rcpt?: Readonly<Record<string, ParameterReader<RecipientDraft>>>
}

export const NOTHING: readonly string[] = []

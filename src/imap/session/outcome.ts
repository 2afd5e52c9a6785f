import { replyForError } from '../../core/errors.js'
import type { Status } from '../command.js'

/** What a command came to: the tagged reply. `code` is a response code without brackets, or null. */
export interface Outcome {
  readonly status: Status
  readonly code: string | null
  readonly text: string
}

export function ok(text: string, code: string | null = null): Outcome {
  return { status: 'OK', code, text }
}

export function no(text: string, code: string | null = null): Outcome {
  return { status: 'NO', code, text }
}

export function bad(text: string): Outcome {
  return { status: 'BAD', code: null, text }
}

/** What the client is told of a MailError. */
export function refusal(error: unknown): Outcome {
  const reply = replyForError(error)
  return no(reply.text, reply.imap)
}

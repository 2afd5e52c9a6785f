import type { CommitResult, Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'

/** For a recipient of whom the delivery has not said what became of the message. */
export const NOT_TOLD = reply(451, '4.3.0', 'Temporary failure, try again later')

/**
 * The one reply that SMTP has for all recipients (RFC 5321 section 4.1.1.4). Where they differ, the one that loses no
 * mail: a transient failure, so that the client tries again (and who has the message gets it twice); else a permanent
 * failure, so that the sender learns of it; only when all of so many `recipients` have it, a yes.
 */
export function commitReply(result: CommitResult, recipients = 1): Reply {
  if ('reply' in result) return result.reply
  const replies = result.recipients
  return (
    replies.find((each) => each.code >= 400 && each.code < 500) ??
    (replies.length < recipients ? NOT_TOLD : undefined) ??
    replies.find((each) => each.code >= 500) ??
    replies[0] ??
    NOT_TOLD
  )
}

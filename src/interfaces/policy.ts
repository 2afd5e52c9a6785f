import type { EnvelopeStart, Recipient, SessionContext } from './delivery.js'
import type { Reply } from './reply.js'

/** What an SMTP session asks at each step: undefined to go on, a Reply to refuse (4yz defers, 421 also closes). */
export interface Policy {
  connect?(context: SessionContext): Promise<Reply | undefined>
  helo?(context: SessionContext): Promise<Reply | undefined>
  mail?(envelope: EnvelopeStart, context: SessionContext): Promise<Reply | undefined>
  recipient?(
    recipient: Recipient,
    envelope: EnvelopeStart,
    context: SessionContext,
  ): Promise<Reply | undefined>
  /** The session is over, however it ended; the last that is told of it. Nothing waits for it. */
  closed?(context: SessionContext): void
}

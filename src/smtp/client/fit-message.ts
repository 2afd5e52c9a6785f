import type { Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'
import { downgrade } from './downgrade/index.js'
import type { SmtpEnvelope } from './envelope.js'
import type { SmtpExtensions } from './extensions.js'
import type { MessageBody } from './message-body.js'
import { chunksOf, isRepeatable } from './message-body.js'

/** A message for one peer. */
export interface FittedMessage {
  readonly envelope: SmtpEnvelope
  readonly body: MessageBody
  /** Why the peer cannot take it after all; null when it can, or when the envelope alone will tell. */
  readonly refusal: Reply | null
}

/** The message holds octets of a kind that the peer does not take. */
export function needsDowngrade({ body }: SmtpEnvelope, extensions: SmtpExtensions): boolean {
  if (body === '8BITMIME') return !extensions.eightBitMime
  return body === 'BINARYMIME' && !(extensions.binaryMime && extensions.chunking)
}

/** Makes of a message that the peer does not take one that it does, where there is one and `body` can be read twice. */
export async function fitMessage(
  envelope: SmtpEnvelope,
  body: MessageBody,
  extensions: SmtpExtensions,
): Promise<FittedMessage> {
  if (!isRepeatable(body)) return { envelope, body, refusal: null }
  const target = extensions.eightBitMime ? '8BITMIME' : '7BIT'
  const fitted = await downgrade(() => chunksOf(body), target, envelope.body === 'BINARYMIME')
  if (typeof fitted === 'string') {
    const lacks = target === '7BIT' ? '8BITMIME' : 'BINARYMIME'
    const text = `The message ${fitted} and the peer does not offer ${lacks}`
    return { envelope, body, refusal: reply(554, '5.6.3', text) }
  }
  // Its size is another one now.
  const { size: _, ...rest } = envelope
  return { envelope: { ...rest, body: target }, body: fitted, refusal: null }
}

import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'

/**
 * 8BITMIME (RFC 6152) and BINARYMIME (RFC 3030), which share a parameter.
 *
 *     body-value ::= "7BIT" / "8BITMIME" / "BINARYMIME"
 */
export const body: Extension = {
  offer: ({ options: { features, chunking } }) => [
    ...(features.eightBitMime ? ['8BITMIME'] : []),
    ...(features.binaryMime && chunking ? ['BINARYMIME'] : []),
  ],
  known: ({ options: { features } }) => features.eightBitMime || features.binaryMime,
  mail: {
    BODY(value, draft, conversation) {
      const name = value === '8BITMIME' ? value : (value?.toUpperCase() ?? '')
      const plain = name === '7BIT' || (name === '8BITMIME' && conversation.options.features.eightBitMime)
      if (!plain && !body.offer(conversation).includes(name)) {
        return badArgument(`BODY is one of ${['7BIT', ...body.offer(conversation)].join(', ')}`)
      }
      draft.body = name as '7BIT' | '8BITMIME' | 'BINARYMIME'
      return null
    },
  },
}

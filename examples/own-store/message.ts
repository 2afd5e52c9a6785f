import { type Body, MailError, type MessageFacts, type Staged } from 'mailwright'
import { MESSAGE_OCTETS } from './limits.js'

/** A message that is complete and in no mailbox yet. */
export class OwnBody implements Body {
  readonly data: Buffer
  readonly facts: MessageFacts
  discarded: boolean

  constructor(data: Buffer, facts: MessageFacts) {
    this.data = data
    this.facts = facts
    this.discarded = false
  }

  get size(): number {
    return this.data.length
  }

  async discard(): Promise<void> {
    this.discarded = true
  }
}

/** A message on its way in. MailError `tooLarge`, at once for a size told before. */
export function stageMessage(sizeHint: number): Staged {
  const tooLarge = () => new MailError('tooLarge', `a message has ${MESSAGE_OCTETS} octets at most`)
  if (sizeHint > MESSAGE_OCTETS) throw tooLarge()
  let chunks: Uint8Array[] = []
  let size = 0
  return {
    write: (chunk) => {
      size += chunk.length
      if (size <= MESSAGE_OCTETS) chunks.push(chunk)
      else chunks = []
    },
    seal: async (facts, prefix) => {
      if (size > MESSAGE_OCTETS) throw tooLarge()
      return new OwnBody(Buffer.concat(prefix === undefined ? chunks : [prefix, ...chunks]), facts)
    },
    abort: async () => {
      chunks = []
    },
  }
}

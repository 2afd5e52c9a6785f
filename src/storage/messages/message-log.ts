import type { MessageFiles } from './files.js'
import { LargeMessage } from './large-message.js'
import { LogQueue } from './log-queue.js'
import { MessageBuffers } from './message-buffers.js'
import { Segments } from './segments.js'

export interface MessageLogOptions {
  readonly files: MessageFiles
  /** Octets from which on a segment takes no further record; at most, and normally, `SEGMENT`. */
  readonly segmentSize: number
  /** See `Segments`. */
  readonly letGo: (segment: number) => void
  /** Told of a failed sync; says what everyone is told from then on. */
  readonly fatal: (error: unknown) => Error
}

/** The octets of messages, in segments: small ones one after another, a larger one by itself. */
export class MessageLog {
  readonly buffers: MessageBuffers
  readonly segments: Segments
  readonly queue: LogQueue
  readonly #fatal: (error: unknown) => Error

  constructor({ files, segmentSize, letGo, fatal }: MessageLogOptions) {
    this.buffers = new MessageBuffers()
    this.segments = new Segments(files, letGo, (segment) => this.queue.writeFor(segment))
    this.queue = new LogQueue(this.segments, segmentSize, fatal)
    this.#fatal = fatal
  }

  beginLarge(): LargeMessage {
    return new LargeMessage(this.segments, this.#fatal)
  }

  /** When everything is settled. */
  async close(): Promise<void> {
    await this.queue.close()
    await this.segments.close()
  }
}

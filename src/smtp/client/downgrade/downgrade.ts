import { isAscii } from 'node:buffer'
import { asBuffer } from '../../../core/bytes.js'
import { DotWriter } from '../../../core/dot-writer.js'
import { UsageError } from '../../../core/errors.js'
import type { BodyEncoder } from '../../../mime/compose/encoders.js'
import { Base64Encoder, QuotedPrintableEncoder } from '../../../mime/compose/encoders.js'
import { HeaderEditor } from '../../../mime/edit-headers.js'
import { octetsOf } from '../message-body.js'
import { MessageWalk, type WalkEvent } from './message-walk.js'
import { type Changes, DowngradePlan, type PartChange, type Target } from './plan.js'

/** Chunks of a message, which can be had again. */
export type Source = () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * The message as a peer takes it that offers less than the message needs: bodies that it could not take are encoded
 * in base64 or quoted-printable (RFC 6152 section 3), their Content-Transfer-Encoding and that of what they stand in
 * says so, and every other octet stays. A string says why there is no such message. The source is read twice, once
 * now and once with the result; neither time is more of it held than a header block and a chunk.
 */
export async function downgrade(
  source: Source,
  target: Target,
  binary: boolean,
): Promise<AsyncIterable<Uint8Array> | string> {
  const plan = new DowngradePlan(target, binary)
  for await (const events of walk(source, binary)) {
    for (const event of events) plan.read(event)
    if (plan.problem !== null) return plan.problem
  }
  return rewritten(source, plan.changes, target, binary)
}

async function* rewritten(
  source: Source,
  changes: Changes,
  target: Target,
  binary: boolean,
): AsyncGenerator<Uint8Array> {
  let encoder: BodyEncoder | null = null
  for await (const events of walk(source, binary)) {
    const out: Uint8Array[] = []
    for (const event of events) {
      if (event.type === 'begin') {
        const change = changes.get(event.part.index)
        encoder = encoderOf(change)
        out.push(change === undefined ? event.block : editedHeader(event.block, change))
      } else if (event.type === 'end') {
        if (encoder !== null) out.push(encoder.end())
        encoder = null
      } else if (event.type === 'body' && encoder !== null) out.push(encoder.write(event.data))
      else out.push(event.data)
    }
    for (const octets of out) {
      if (target === '7BIT' && !isAscii(octets)) {
        throw new UsageError('BODY', 'the message was another one when it was read again')
      }
      if (octets.length > 0) yield octets
    }
  }
}

/** What each chunk brings. The line ends of a message that is not binary are made CRLF first, as they are sent. */
async function* walk(source: Source, binary: boolean): AsyncGenerator<readonly WalkEvent[]> {
  const message = new MessageWalk()
  const lines = binary ? null : new DotWriter({ stuffed: false })
  const read = (): readonly WalkEvent[] => {
    const events: WalkEvent[] = []
    for (let event = message.next(); event !== null; event = message.next()) events.push(event)
    return events
  }
  for await (const chunk of source()) {
    const octets = octetsOf(chunk)
    for (const piece of lines?.write(asBuffer(octets)) ?? [octets]) message.receive(piece)
    yield read()
  }
  for (const piece of lines?.end() ?? []) message.receive(piece)
  message.end()
  yield read()
}

function encoderOf(change: PartChange | undefined): BodyEncoder | null {
  if (change === undefined || change.encode === null) return null
  return change.encode === 'base64' ? new Base64Encoder() : new QuotedPrintableEncoder()
}

function editedHeader(block: Buffer, { label, mimeVersion }: PartChange): Buffer {
  const editor = new HeaderEditor(block)
  if (label !== null) editor.replace('Content-Transfer-Encoding', label)
  if (mimeVersion) editor.append('MIME-Version', '1.0')
  return editor.bytes()
}

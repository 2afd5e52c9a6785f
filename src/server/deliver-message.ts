import { randomUUID } from 'node:crypto'
import { EMPTY, isAscii, replyForError } from '../core/index.js'
import { expectCommitResult, expectReply, expectTransaction } from '../interfaces/answer.js'
import type { Delivery, Recipient, Reply, SessionContext, Transaction } from '../interfaces/index.js'
import { reply } from '../interfaces/index.js'
import { scanMailbox } from '../smtp/index.js'
import { NOT_TOLD } from '../smtp/session/commit-reply.js'

/** A message that this process itself hands to a Delivery. */
export interface OutgoingMessage {
  /** Without angle brackets; empty for the null reverse-path. */
  readonly reversePath: string
  readonly recipients: readonly string[]
  /** The whole message with CRLF line ends: at once, or as it comes. */
  readonly message: Uint8Array | AsyncIterable<Uint8Array>
}

/**
 * One transaction from MAIL to the end of the data, without SMTP. The replies are the recipients', in order; where
 * the message as a whole is refused each has that reply.
 */
export async function deliverMessage(
  delivery: Delivery,
  { reversePath, recipients, message }: OutgoingMessage,
  hostname: string,
): Promise<readonly Reply[]> {
  const all = (said: Reply): readonly Reply[] => recipients.map(() => said)
  try {
    const size = message instanceof Uint8Array ? message.length : null
    const smtpUtf8 = !isAscii(reversePath) || recipients.some((address) => !isAscii(address))
    const envelope = { reversePath, size, body: '8BITMIME', smtpUtf8 } as const
    const transaction = expectTransaction(await delivery.begin(envelope, localContext(hostname)))
    if ('code' in transaction) return all(transaction)
    return await complete(transaction, recipients, message)
  } catch (error) {
    const { smtp, text } = replyForError(error)
    return all(reply(smtp.code, smtp.enhanced, text))
  }
}

async function complete(
  transaction: Transaction,
  recipients: readonly string[],
  message: OutgoingMessage['message'],
): Promise<readonly Reply[]> {
  const replies: (Reply | null)[] = []
  try {
    for (const address of recipients) {
      const recipient = parseRecipient(address)
      const said =
        recipient === null
          ? reply(501, '5.1.3', `Not an address: ${address}`)
          : await transaction.recipient(recipient)
      replies.push(said !== undefined && expectReply(said).code >= 300 ? said : null)
    }
    const refused = replies.every((said) => said !== null)
      ? reply(554, '5.5.1', 'No valid recipients')
      : await transaction.ready()
    if (refused !== undefined && expectReply(refused).code >= 300) {
      await transaction.abort('refused')
      return replies.map((said) => said ?? refused)
    }
    if (message instanceof Uint8Array) await transaction.write(message)
    else for await (const chunk of message) await transaction.write(chunk)
  } catch (error) {
    await transaction.abort('lost')
    throw error
  }
  const result = expectCommitResult(await transaction.commit(EMPTY))
  const told = 'reply' in result ? null : [...result.recipients]
  return replies.map((said) => said ?? ('reply' in result ? result.reply : (told?.shift() ?? NOT_TOLD)))
}

function parseRecipient(address: string): Recipient | null {
  const scanned = scanMailbox(address, 0, false, true)
  return typeof scanned === 'string' || scanned.end !== address.length ? null : scanned.mailbox
}

function localContext(hostname: string): SessionContext {
  return {
    id: randomUUID(),
    remoteAddress: '127.0.0.1',
    remotePort: 0,
    localAddress: '127.0.0.1',
    localPort: 0,
    helo: hostname,
    transmission: 'local',
    tls: null,
    user: null,
    service: 'submission',
    signal: new AbortController().signal,
  }
}

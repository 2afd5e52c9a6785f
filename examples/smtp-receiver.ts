import { createMailServer, type MailServer, reply, simpleDelivery } from 'mailwright'

/** Takes mail for one domain over SMTP. The sender is told 250 once `save` has resolved, so it must keep the message. */
export function startReceiver(
  listen: string,
  domain: string,
  save: (to: readonly string[], message: Buffer) => Promise<void>,
): Promise<MailServer> {
  const delivery = simpleDelivery(
    async (message) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of message.body) chunks.push(chunk)
      const to = message.recipients.map(({ address }) => address)
      await save(to, Buffer.concat([message.received, ...chunks]))
    },
    {
      recipient: (to) =>
        to.domain === domain ? undefined : reply(550, '5.7.1', 'Not a domain of this server'),
    },
  )
  return createMailServer({ listen: { smtp: listen }, delivery })
}

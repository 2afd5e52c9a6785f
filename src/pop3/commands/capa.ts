import { plainCommand } from '../command.js'

/**
 * RFC 2449 section 5. What can be done before login is told after it too; what needs TLS is told once it is there.
 * Nothing here ever removes mail by itself: EXPIRE NEVER.
 */
export const capa = plainCommand('CAPA', (conversation) => {
  const { mechanisms } = conversation
  const lines = ['TOP', 'UIDL']
  if (conversation.takesPasswords) lines.push('USER')
  if (mechanisms.length > 0) lines.push(`SASL ${mechanisms.join(' ')}`)
  if (conversation.offersTls) lines.push('STLS')
  lines.push('RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER')
  if (conversation.state === 'transaction') lines.push('IMPLEMENTATION Mailwright')
  conversation.ok('Capability list follows')
  conversation.output.text(`${lines.join('\r\n')}\r\n.\r\n`)
})

import { plainCommand } from '../command.js'

/** RFC 1939 section 5: takes all marks back. */
export const rset = plainCommand('RSET', (conversation) => {
  const { maildrop } = conversation
  maildrop.reset()
  conversation.ok(`Maildrop has ${maildrop.summary}`)
})

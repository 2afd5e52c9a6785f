import { bodyOf } from './body.js'
import { ComposedMessage } from './composed-message.js'
import { type ComposeOptions, checkNames, type MailOptions, mailNames, settingsOf } from './mail-options.js'
import { messageFields } from './message-fields.js'

/**
 * A message of RFC 5322 and MIME from options with nodemailer's names. Header lines are folded at 78 octets, text is
 * written in 7bit, quoted-printable or base64, whichever is shortest; streams are written as they are read.
 *
 * UsageError, all before anything is written: `HEADER_NAME` and `HEADER_VALUE` (CR, LF or NUL), `HEADER_TOO_LONG`,
 * `HEADER_DUPLICATE`, `ADDRESS`, `SMTPUTF8`, `MESSAGE_ID`, `DATE`, `CONTENT`, `CONTENT_TYPE`, `OPTION`, and
 * `CONTENT_ACCESS` for content from a path or a URL where the host has given no `readFile` or `fetch`.
 */
export function composeMessage(mail: MailOptions, options: ComposeOptions = {}): ComposedMessage {
  checkNames(mail, mailNames, 'a message')
  const settings = settingsOf(options)
  const { fields, messageId, envelope } = messageFields(mail, settings)
  const body = bodyOf(mail, settings)
  return new ComposedMessage({ fields: fields + body.fields, body: body.body }, messageId, envelope)
}

import type { Envelope, EnvelopeAddress, Parameter, PartFacts } from '../interfaces/index.js'
import { nstring, string } from './encode.js'

/**
 * ENVELOPE (RFC 3501 section 7.4.2). Sender and reply-to are those of `from` where the message has none.
 *
 *     envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP
 *                env-bcc SP env-in-reply-to SP env-message-id ")"
 */
export function envelope(e: Envelope): string {
  const from = addresses(e.from)
  const sender = e.sender.length === 0 ? from : addresses(e.sender)
  const replyTo = e.replyTo.length === 0 ? from : addresses(e.replyTo)
  const receivers = `${addresses(e.to)} ${addresses(e.cc)} ${addresses(e.bcc)}`
  const head = `${nstring(e.date)} ${nstring(e.subject)} ${from} ${sender} ${replyTo}`
  return `(${head} ${receivers} ${nstring(e.inReplyTo)} ${nstring(e.messageId)})`
}

/** `env-from = "(" 1*address ")" / nil` */
function addresses(list: readonly EnvelopeAddress[]): string {
  if (list.length === 0) return 'NIL'
  let text = '('
  for (const { name, route, mailbox, host } of list) {
    text += `(${nstring(name)} ${nstring(route)} ${nstring(mailbox)} ${nstring(host)})`
  }
  return `${text})`
}

const NO_ENVELOPE: Envelope = {
  date: null,
  subject: null,
  from: [],
  sender: [],
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  inReplyTo: null,
  messageId: null,
}

/** Stands where the grammar demands a part and the message has none: a multipart without children. */
const EMPTY_TEXT: PartFacts = {
  type: 'text',
  subtype: 'plain',
  parameters: [],
  id: null,
  description: null,
  encoding: '7bit',
  md5: null,
  disposition: null,
  language: [],
  location: null,
  headerOffset: 0,
  bodyOffset: 0,
  endOffset: 0,
  lines: 0,
  parts: [],
  message: null,
}

/**
 * BODYSTRUCTURE, or BODY where `extensible` is false (RFC 3501 section 7.4.2). Works through parts of any depth
 * without recursion.
 *
 *     body = "(" (body-type-1part / body-type-mpart) ")"
 */
export function bodyStructure(root: PartFacts, extensible: boolean): string {
  const waiting: (string | PartFacts)[] = [root]
  let text = ''
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') text += next
    else if (next.type === 'multipart') {
      text += '('
      waiting.push(` ${string(next.subtype)}${extensible ? multipartExtension(next) : ''})`)
      if (next.parts.length === 0) waiting.push(EMPTY_TEXT)
      for (let i = next.parts.length - 1; i >= 0; i--) waiting.push(next.parts[i] as PartFacts)
    } else {
      const end = `${extensible ? singleExtension(next) : ''})`
      const fields = singleFields(next)
      if (next.type === 'message' && next.subtype === 'rfc822') {
        text += `(${fields} ${envelope(next.message?.envelope ?? NO_ENVELOPE)} `
        waiting.push(` ${next.lines}${end}`, next.message?.root ?? EMPTY_TEXT)
      } else text += `(${fields}${next.type === 'text' ? ` ${next.lines}` : ''}${end}`
    }
  }
  return text
}

/** `body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets`, the type before. */
function singleFields(part: PartFacts): string {
  const type = `${string(part.type)} ${string(part.subtype)} ${parameters(part.parameters)}`
  const described = `${nstring(part.id)} ${nstring(part.description)} ${string(part.encoding)}`
  return `${type} ${described} ${part.endOffset - part.bodyOffset}`
}

/** `body-ext-1part = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]` */
function singleExtension(part: PartFacts): string {
  return ` ${nstring(part.md5)}${commonExtension(part)}`
}

/** `body-ext-mpart = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]` */
function multipartExtension(part: PartFacts): string {
  return ` ${parameters(part.parameters)}${commonExtension(part)}`
}

function commonExtension({ disposition, language, location }: PartFacts): string {
  const shown =
    disposition === null ? 'NIL' : `(${string(disposition.type)} ${parameters(disposition.parameters)})`
  const languages = language.length === 0 ? 'NIL' : `(${language.map(string).join(' ')})`
  return ` ${shown} ${languages} ${nstring(location)}`
}

/** `body-fld-param = "(" string SP string *(SP string SP string) ")" / nil` */
function parameters(list: readonly Parameter[]): string {
  if (list.length === 0) return 'NIL'
  return `(${list.map(([name, value]) => `${string(name)} ${string(value)}`).join(' ')})`
}

import libmime from 'libmime'
import { UsageError } from '../../core/errors.js'
import { type ContentType, parseContentType } from '../structured-field.js'
import { canonicalText, type FoundContent, findContent, type Source } from './content.js'
import { checkText, foldField } from './fold.js'
import { checkMessageId } from './identifiers.js'
import {
  type AlternativeOptions,
  type AttachmentOptions,
  alternativeNames,
  attachmentNames,
  checkNames,
  type IcalEventOptions,
  icalNames,
  type MailOptions,
  type Settings,
  type TextInput,
  type TextOptions,
  textNames,
} from './mail-options.js'
import { customFields } from './message-fields.js'
import { checkToken, parameterWords } from './parameters.js'
import { Boundaries, type Leaf, makeLeaf, type Part } from './part.js'

type Pairs = (readonly [name: string, value: string])[]

/** The fields of a leaf and its body. */
export function leafPart(type: string, parameters: Pairs, leaf: Leaf, more = ''): Part {
  const contentType = foldField('Content-Type', parameterWords(type, parameters))
  const encoding = foldField('Content-Transfer-Encoding', [leaf.encoding])
  return { fields: contentType + encoding + more, body: leaf }
}

/** A text to be shown: text/plain, text/html or text/calendar. */
export function textPart(
  input: TextInput,
  subtype: string,
  settings: Settings,
  place: {
    readonly what: string
    readonly last: boolean
    readonly parameters?: Pairs
    readonly more?: string
  },
): Part {
  const { what, last, parameters = [], more = '' } = place
  const options = textOptions(input)
  checkNames(options, textNames, what)
  const found = canonicalText(findContent(options, settings.access, what).source, what)
  // a message ends with a line end, which in another part belongs to the boundary
  const missing = last && found.type === 'text' && found.text !== '' && !found.text.endsWith('\r\n')
  const source = missing ? { ...found, text: `${found.text}\r\n` } : found
  const leaf = makeLeaf(source, 'text', options.contentTransferEncoding, what)
  return leafPart(`text/${subtype}`, [['charset', 'utf-8'], ...parameters], leaf, more)
}

function textOptions(input: TextInput): TextOptions {
  if (typeof input === 'string' || input instanceof Uint8Array) return { content: input }
  if (typeof input !== 'object' || input === null) {
    throw new UsageError('CONTENT', 'a text must be a string, a Uint8Array, an async iterable or an object')
  }
  return Symbol.asyncIterator in input ? { content: input } : input
}

/** A part of any type: an attachment or an alternative. */
function dataPart(given: AttachmentOptions, place: DataPlace, settings: Settings): Part {
  const { what } = place
  checkNames(given, place.alternative ? alternativeNames : attachmentNames, what)
  const found = findContent(given, settings.access, what)
  const filename = given.filename === false ? null : (given.filename ?? found.filename)
  const { type, parameters } = typeOf(given, found, filename ?? found.filename, what)
  const leaf = makeLeaf(found.source, kindOf(type), given.contentTransferEncoding, what)
  const named: Pairs =
    filename === null || filename === '' || parameters.some(([name]) => name === 'name')
      ? []
      : [['name', filename]]
  let more = ''
  if (!place.alternative || given.contentDisposition !== undefined || given.filename) {
    const value = given.contentDisposition ?? (place.alternative || place.shown ? 'inline' : 'attachment')
    const disposition = checkToken(value, `the contentDisposition of ${what}`)
    const pairs: Pairs = filename === null || filename === '' ? [] : [['filename', filename]]
    more += foldField('Content-Disposition', parameterWords(disposition, pairs))
  }
  if (given.cid !== undefined) {
    more += foldField('Content-ID', [checkMessageId(given.cid, `the cid of ${what}`, settings.smtpUtf8)])
  }
  more += customFields(given.headers, settings.smtpUtf8)
  return leafPart(type, [...parameters, ...named], leaf, more)
}

interface DataPlace {
  readonly what: string
  readonly alternative: boolean
  /** Inline unless it says otherwise. */
  readonly shown: boolean
}

function kindOf(type: string): 'text' | 'data' | 'composite' {
  if (type.startsWith('text/')) return 'text'
  // message/global and its kin may be encoded (RFC 6532 section 3.7)
  return type.startsWith('multipart/') || (type.startsWith('message/') && !type.startsWith('message/global'))
    ? 'composite'
    : 'data'
}

function typeOf(
  given: AlternativeOptions,
  found: FoundContent,
  filename: string | null,
  what: string,
): { type: string; parameters: Pairs } {
  const text = checkText(
    given.contentType ?? found.contentType ?? guessType(found.source, filename),
    `the contentType of ${what}`,
  )
  const parsed: ContentType | null = parseContentType(text)
  if (parsed === null) {
    throw new UsageError('CONTENT_TYPE', `${JSON.stringify(text)} of ${what} is not a content type`)
  }
  const type = `${checkToken(parsed.type, 'a content type')}/${checkToken(parsed.subtype, 'a content type')}`
  const parameters: Pairs = [...parsed.parameters]
  const isText = found.source.type === 'text' && type.startsWith('text/')
  if (isText && !parameters.some(([name]) => name === 'charset')) parameters.push(['charset', 'utf-8'])
  return { type, parameters }
}

function guessType(source: Source, filename: string | null): string {
  if (filename === null) return source.type === 'text' ? 'text/plain' : 'application/octet-stream'
  const type = libmime.detectMimeType(filename)
  // what a name alone says is a message may hold lines that no message can be written with
  return kindOf(type) === 'composite' ? 'application/octet-stream' : type
}

/** A multipart of that subtype; `boundaries` is asked when all bodies are known. */
export function multipart(
  subtype: string,
  parts: readonly Part[],
  boundaries: () => Boundaries,
  parameters: Pairs = [],
): Part {
  const boundary = boundaries().next()
  const words = parameterWords(`multipart/${subtype}`, [...parameters, ['boundary', boundary]])
  return { fields: foldField('Content-Type', words), body: { type: 'multipart', boundary, parts } }
}

/**
 * mixed(alternative(text, related(html, images), calendar, alternatives), attachments), leaving out each multipart
 * that would hold one part, except mixed where it is there for attachments.
 */
export function bodyOf(mail: MailOptions, settings: Settings): Part {
  const attachments = [...(mail.attachments ?? [])]
  const images = mail.html === undefined ? [] : attachments.filter((each) => each.cid !== undefined)
  const others = attachments.filter((each) => !images.includes(each))
  const calendar = mail.icalEvent === undefined ? null : icalOptions(mail.icalEvent)
  const alternatives = mail.alternatives ?? []
  const forms =
    [mail.text, mail.html, mail.icalEvent].filter((form) => form !== undefined).length + alternatives.length
  const attached = others.length + (calendar === null || calendar.filename === false ? 0 : 1)
  const last = attached === 0 && images.length === 0 && forms <= 1

  const leaves: Leaf[] = []
  const note = (part: Part): Part => {
    if (part.body.type === 'leaf') leaves.push(part.body)
    return part
  }
  const texts: Part[] = []
  if (mail.text !== undefined || forms + attached === 0) {
    texts.push(note(textPart(mail.text ?? '', 'plain', settings, { what: 'text', last })))
  }
  const html =
    mail.html === undefined ? null : note(textPart(mail.html, 'html', settings, { what: 'html', last }))
  const pictures = images.map((each) =>
    note(dataPart(each, { what: nameOf(each), alternative: false, shown: true }, settings)),
  )
  const further = alternatives.map((each, index) =>
    note(dataPart(each, { what: `alternative ${index + 1}`, alternative: true, shown: true }, settings)),
  )
  const files = others.map((each) =>
    note(dataPart(each, { what: nameOf(each), alternative: false, shown: false }, settings)),
  )
  if (calendar !== null) {
    further.unshift(note(calendarPart(calendar, settings, last)))
    if (calendar.filename !== false) files.push(note(calendarFile(calendar, settings)))
  }

  let drawn: Boundaries | null = null
  const boundaries = (): Boundaries => (drawn ??= boundariesFor(leaves, settings))
  if (html !== null) {
    texts.push(
      pictures.length === 0
        ? html
        : multipart('related', [html, ...pictures], boundaries, [['type', 'text/html']]),
    )
  }
  texts.push(...further)
  const shown = texts.length > 1 ? [multipart('alternative', texts, boundaries)] : texts
  const only = shown[0]
  return files.length === 0 && only !== undefined
    ? only
    : multipart('mixed', [...shown, ...files], boundaries)
}

/** Boundaries that stand in none of the bodies. */
export function boundariesFor(leaves: readonly Leaf[], settings: Settings): Boundaries {
  const unencoded = leaves.filter(({ encoding }) => encoding === '7bit' || encoding === '8bit')
  return new Boundaries(
    settings.random,
    unencoded.map((leaf) => leaf.bytes),
  )
}

function nameOf(attachment: AttachmentOptions): string {
  const name = attachment.filename || attachment.cid
  return name === undefined ? 'an attachment' : `the attachment ${JSON.stringify(name)}`
}

function icalOptions(given: string | Uint8Array | IcalEventOptions): IcalEventOptions {
  if (typeof given === 'string' || given instanceof Uint8Array) return { content: given }
  checkNames(given, icalNames, 'icalEvent')
  if (
    given.stream !== undefined ||
    (typeof given.content === 'object' && !(given.content instanceof Uint8Array))
  ) {
    throw new UsageError('CONTENT', 'the content of icalEvent is written twice, so it cannot be a stream')
  }
  return given
}

/** text/calendar with the method of the event (RFC 5546, RFC 6047 section 2.4). */
function calendarPart(given: IcalEventOptions, settings: Settings, last: boolean): Part {
  const { content, path, href, encoding, contentTransferEncoding } = given
  const method = checkToken(given.method ?? 'PUBLISH', 'the method of icalEvent').toUpperCase()
  return textPart({ content, path, href, encoding, contentTransferEncoding }, 'calendar', settings, {
    what: 'icalEvent',
    last,
    parameters: [['method', method]],
    more: customFields(given.headers, settings.smtpUtf8),
  })
}

function calendarFile(given: IcalEventOptions, settings: Settings): Part {
  const { content, path, href, encoding } = given
  const filename = given.filename === false ? undefined : (given.filename ?? 'invite.ics')
  return dataPart(
    { content, path, href, encoding, filename, contentType: 'application/ics' },
    { what: 'icalEvent', alternative: false, shown: false },
    settings,
  )
}

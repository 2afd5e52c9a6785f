import { randomBytes } from 'node:crypto'
import { UsageError } from '../../core/errors.js'
import type { AddressInput } from './address-writer.js'
import type { ContentAccess, ContentOptions, StreamContent } from './content.js'
import type { ListOptions } from './identifiers.js'

/** Header fields besides the ones that have an option, by name, or as pairs where their order matters. */
export type HeaderOptions =
  | Readonly<Record<string, string | readonly string[]>>
  | readonly { readonly key: string; readonly value: string }[]

/** A text, or where it comes from. A string's line ends are written as CRLF; octets and streams have to be UTF-8. */
export type TextInput = string | Uint8Array | StreamContent | TextOptions

/** See `TextInput`. */
export interface TextOptions extends ContentOptions {
  /** `7bit`, `8bit`, `quoted-printable` or `base64` instead of the one that makes the part shortest. */
  readonly contentTransferEncoding?: string | undefined
}

/** A further form of the message's text, after text and html. */
export interface AlternativeOptions extends TextOptions {
  /** By default from the name or the path, else application/octet-stream. */
  readonly contentType?: string | undefined
  /** `false`: none, where the path would give one. */
  readonly filename?: string | false | undefined
  readonly headers?: HeaderOptions | undefined
}

/** An attachment, or with `cid` and html an image that the html shows as `cid:...`. */
export interface AttachmentOptions extends AlternativeOptions {
  /** Content-ID, with or without its angle brackets. */
  readonly cid?: string | undefined
  /** `attachment` (the default) or `inline` (the default with `cid` beside html). */
  readonly contentDisposition?: string | undefined
}

/** An invitation, written as a text/calendar alternative and as an attachment; its content cannot be a stream. */
export interface IcalEventOptions extends TextOptions {
  /** `PUBLISH` by default. */
  readonly method?: string | undefined
  /** `invite.ics` by default; `false`: no attachment beside the alternative. */
  readonly filename?: string | false | undefined
  readonly headers?: HeaderOptions | undefined
}

/** The header fields of a message, by nodemailer's names. */
export interface EnvelopeOptions {
  readonly from?: AddressInput | undefined
  /** Who sent it where that is not who wrote it; needed for more than one address in `from`. */
  readonly sender?: AddressInput | undefined
  readonly replyTo?: AddressInput | undefined
  readonly to?: AddressInput | undefined
  readonly cc?: AddressInput | undefined
  /** Recipients of the envelope that the header does not tell of (see `ComposeOptions.keepBcc`). */
  readonly bcc?: AddressInput | undefined
  readonly subject?: string | undefined
  /** With or without its angle brackets; made where absent. */
  readonly messageId?: string | undefined
  readonly inReplyTo?: string | readonly string[] | undefined
  readonly references?: string | readonly string[] | undefined
  /** Milliseconds since 1970, a Date, or text that is a date; now where absent. */
  readonly date?: Date | number | string | undefined
  readonly priority?: 'high' | 'normal' | 'low' | undefined
  readonly list?: ListOptions | undefined
  readonly headers?: HeaderOptions | undefined
}

/** What a message is made of, by nodemailer's names. */
export interface MailOptions extends EnvelopeOptions {
  readonly text?: TextInput | undefined
  readonly html?: TextInput | undefined
  readonly icalEvent?: string | Uint8Array | IcalEventOptions | undefined
  readonly alternatives?: readonly AlternativeOptions[] | undefined
  readonly attachments?: readonly AttachmentOptions[] | undefined
}

/** How a message is written. */
export interface ComposeOptions extends ContentAccess {
  /** Writes UTF-8 addresses, names and text as they are (RFC 6532); the message then needs SMTPUTF8. */
  readonly smtpUtf8?: boolean | undefined
  /** Writes a Bcc field, for a message that is kept and not sent. */
  readonly keepBcc?: boolean | undefined
  /** The domain of a made Message-ID; by default the one of `from`. */
  readonly hostname?: string | undefined
  readonly clock?: { now(): number } | undefined
  /** `size` octets no one can guess, for boundaries and Message-IDs; by default from node:crypto. */
  readonly random?: ((size: number) => Uint8Array) | undefined
}

/** The options with their defaults. */
export interface Settings {
  readonly access: ContentAccess
  readonly smtpUtf8: boolean
  readonly keepBcc: boolean
  readonly hostname: string | null
  readonly now: () => number
  readonly random: (size: number) => Uint8Array
}

const composeNames = ['smtpUtf8', 'keepBcc', 'hostname', 'clock', 'random', 'readFile', 'fetch']

export function settingsOf(options: ComposeOptions): Settings {
  checkNames(options, composeNames, 'the options of a message')
  const { clock } = options
  return {
    access: options,
    smtpUtf8: options.smtpUtf8 ?? false,
    keepBcc: options.keepBcc ?? false,
    hostname: options.hostname ?? null,
    now: clock === undefined ? Date.now : () => clock.now(),
    random: options.random ?? randomBytes,
  }
}

const contentNames = ['content', 'stream', 'path', 'href', 'encoding']
export const textNames: readonly string[] = [...contentNames, 'contentTransferEncoding']
export const alternativeNames: readonly string[] = [...textNames, 'contentType', 'filename', 'headers']
export const attachmentNames: readonly string[] = [...alternativeNames, 'cid', 'contentDisposition']
export const icalNames: readonly string[] = [...textNames, 'method', 'filename', 'headers']
export const envelopeNames: readonly string[] = [
  ...[
    'from',
    'sender',
    'replyTo',
    'to',
    'cc',
    'bcc',
    'subject',
    'messageId',
    'inReplyTo',
    'references',
    'date',
  ],
  ...['priority', 'list', 'headers'],
]
export const mailNames: readonly string[] = [
  ...envelopeNames,
  ...['text', 'html', 'icalEvent', 'alternatives', 'attachments'],
]

/** UsageError `OPTION` for a name that stands for nothing, since what it asks for would be left out silently. */
export function checkNames(given: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw new UsageError('OPTION', `${what} has no ${JSON.stringify(name)}; known: ${known.join(', ')}`)
    }
  }
}

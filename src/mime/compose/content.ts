import { asBuffer, decodeUtf8, fromLatin1 } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'

/** Content that comes in pieces, for example a Readable of Node or a ReadableStream of the web. Strings are UTF-8. */
export type StreamContent = AsyncIterable<Uint8Array | string>

/** Where the content of a part comes from: one of `content`, `stream`, `path` and `href`. */
export interface ContentOptions {
  readonly content?: string | Uint8Array | StreamContent | undefined
  /** The same as a stream given as `content`. */
  readonly stream?: StreamContent | undefined
  /** A file, a `data:` URL, or an `http:` or `https:` URL; see `ContentAccess`. */
  readonly path?: string | undefined
  /** A `data:`, `http:` or `https:` URL. */
  readonly href?: string | undefined
  /** How a string given as `content` is written: `utf8` (the default), `base64`, `hex` or another name of Buffer's. */
  readonly encoding?: string | undefined
}

/**
 * What the host lets a message read. Without these functions, content from a `path` or a URL is refused: whoever can
 * fill in a message's options could read the host's files and reach its inner network.
 */
export interface ContentAccess {
  /** Opens a file, for example `createReadStream` of node:fs. */
  readonly readFile?: ((path: string) => OpenedContent) | undefined
  /** Opens an `http:` or `https:` URL. It should refuse addresses of the inner network, and follow no redirect there. */
  readonly fetch?: ((url: string) => OpenedContent) | undefined
}

/** What a function of `ContentAccess` gives back. */
export type OpenedContent = StreamContent | Promise<StreamContent>

/**
 * - `text`: characters, whose line ends are not yet CRLF. `bytes`: octets to be kept exactly.
 * - `stream`: octets of unknown content and length. `once`: it cannot be opened again.
 */
export type Source =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'bytes'; readonly bytes: Buffer }
  | { readonly type: 'stream'; readonly open: () => OpenedContent; readonly once: StreamContent | null }

/** A source, and what a data URL says of its type and a path of its name. */
export interface FoundContent {
  readonly source: Source
  readonly contentType: string | null
  readonly filename: string | null
}

function isStream(value: unknown): value is StreamContent {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** UsageError `CONTENT` for what is no content, `CONTENT_ACCESS` for a path or URL the host has not allowed. */
export function findContent(given: ContentOptions, access: ContentAccess, what: string): FoundContent {
  const { content, stream, path, href, encoding } = given
  const places = [content, stream, path, href].filter((place) => place !== undefined)
  if (places.length > 1) {
    throw new UsageError('CONTENT', `${what} has more than one of content, stream, path and href`)
  }
  const value = content ?? stream
  if (value !== undefined) {
    return { source: direct(value, encoding, what), contentType: null, filename: null }
  }
  const place = path ?? href
  if (place === undefined) {
    return { source: { type: 'text', text: '' }, contentType: null, filename: null }
  }
  if (typeof place !== 'string') throw new UsageError('CONTENT', `the path of ${what} must be a string`)
  if (/^data:/i.test(place)) return dataUrl(place, what)
  if (/^https?:\/\//i.test(place)) return fromUrl(place, access, what)
  if (href !== undefined) throw new UsageError('CONTENT', `the href of ${what} must be an http or https URL`)
  const { readFile } = access
  if (readFile === undefined) throw refused(what, 'a path', 'readFile')
  return opened(() => readFile(place), place.split(/[/\\]/).at(-1) ?? '')
}

function refused(what: string, kind: string, option: string): UsageError {
  const message = `${what} takes its content from ${kind}, which is off unless the option ${option} is given`
  return new UsageError('CONTENT_ACCESS', message)
}

function direct(
  content: string | Uint8Array | StreamContent,
  encoding: string | undefined,
  what: string,
): Source {
  if (typeof content === 'string') {
    const name = (encoding ?? 'utf8').toLowerCase()
    if (name === 'utf8' || name === 'utf-8') return { type: 'text', text: content }
    if (!Buffer.isEncoding(name))
      throw new UsageError('CONTENT', `the encoding ${name} of ${what} is unknown`)
    return { type: 'bytes', bytes: Buffer.from(content, name) }
  }
  if (content instanceof Uint8Array) return { type: 'bytes', bytes: asBuffer(content) }
  if (isStream(content)) return { type: 'stream', open: () => content, once: content }
  throw new UsageError(
    'CONTENT',
    `the content of ${what} must be a string, a Uint8Array or an async iterable`,
  )
}

function opened(open: () => OpenedContent, name: string): FoundContent {
  return {
    source: { type: 'stream', open, once: null },
    contentType: null,
    filename: name === '' ? null : name,
  }
}

function fromUrl(url: string, access: ContentAccess, what: string): FoundContent {
  const { fetch } = access
  if (fetch === undefined) throw refused(what, 'a URL', 'fetch')
  const name = /^https?:\/\/[^/?#]*\/(?:[^?#]*\/)?([^/?#]*)/i.exec(url)?.[1] ?? ''
  return opened(() => fetch(url), percentDecoded(name).toString('utf8'))
}

function percentDecoded(text: string): Buffer {
  const octets = Buffer.from(text, 'utf8').toString('latin1')
  return fromLatin1(
    octets.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  )
}

/** "data:" [mediatype] [";base64"] "," data (RFC 2397 section 3). */
function dataUrl(url: string, what: string): FoundContent {
  const comma = url.indexOf(',')
  if (comma === -1) throw new UsageError('CONTENT', `the data URL of ${what} has no comma`)
  const head = url.slice('data:'.length, comma)
  const inBase64 = /;\s*base64\s*$/i.test(head)
  const data = percentDecoded(url.slice(comma + 1))
  const bytes = inBase64 ? Buffer.from(data.toString('latin1'), 'base64') : data
  const type = head.replace(/;\s*base64\s*$/i, '')
  const contentType = type === '' || type.startsWith(';') ? `text/plain${type}` : type
  return { source: { type: 'bytes', bytes }, contentType, filename: null }
}

/** Text that is to be shown: strings, and octets that have to be UTF-8, with every line ended by CRLF. */
export function canonicalText(source: Source, what: string): Source {
  if (source.type === 'stream') return source
  const text = source.type === 'text' ? source.text : decodeUtf8(source.bytes)
  if (text === null) throw new UsageError('CONTENT', `${what} must be UTF-8`)
  return { type: 'text', text: text.replace(/\r\n|\r|\n/g, '\r\n') }
}

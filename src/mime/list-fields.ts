import { decodeWords } from './encoded-words.js'
import type { Headers } from './headers.js'
import { trimWhite, unquote, withoutComments } from './text.js'

/** The List-* fields (RFC 2369, RFC 2919, RFC 8058). */
export interface ListFields {
  /** The identifier of List-Id, without its angle brackets. */
  readonly id: string | null
  /** The phrase before it, decoded. */
  readonly name: string | null
  readonly help: readonly string[]
  readonly subscribe: readonly string[]
  readonly unsubscribe: readonly string[]
  /** RFC 8058: the unsubscribe URL takes one POST. */
  readonly oneClick: boolean
  readonly owner: readonly string[]
  readonly archive: readonly string[]
  /** List-Post; empty for `NO` as well. */
  readonly post: readonly string[]
  /** `List-Post: NO`: nobody may post. */
  readonly closed: boolean
}

/** The URLs of a list header in order of preference (RFC 2369 section 2). White space inside is dropped. Linear time. */
export function parseListUrls(value: string): string[] {
  const urls: string[] = []
  const flat = withoutComments(value)
  for (let open = flat.indexOf('<'); open !== -1; ) {
    const close = flat.indexOf('>', open + 1)
    if (close === -1) break
    const url = flat.slice(open + 1, close).replace(/\s+/g, '')
    if (url !== '') urls.push(url)
    open = flat.indexOf('<', close + 1)
  }
  return urls
}

/** All of a message's list fields. */
export function listFieldsOf(headers: Headers): ListFields {
  const urls = (name: string): string[] => parseListUrls(headers.get(name) ?? '')
  const id = headers.get('list-id') ?? ''
  const open = id.lastIndexOf('<')
  const close = id.indexOf('>', open)
  const bare = trimWhite(withoutComments(id))
  const phrase = open === -1 ? '' : decodeWords(unquote(trimWhite(id.slice(0, open)).replace(/^"|"$/g, '')))
  const identifier = open === -1 ? bare : id.slice(open + 1, close === -1 ? id.length : close)
  return {
    id: identifier === '' ? null : identifier,
    name: phrase === '' ? null : phrase,
    help: urls('list-help'),
    subscribe: urls('list-subscribe'),
    unsubscribe: urls('list-unsubscribe'),
    oneClick: /^list-unsubscribe=one-click$/i.test(headers.get('list-unsubscribe-post') ?? ''),
    owner: urls('list-owner'),
    archive: urls('list-archive'),
    post: urls('list-post'),
    closed: /^no$/i.test(trimWhite(withoutComments(headers.get('list-post') ?? ''))),
  }
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A path inside the folder of reference data. Throws where MAILWRIGHT_CORPUS does not name that folder. */
export function corpusPath(...names: readonly string[]): string {
  const folder = process.env.MAILWRIGHT_CORPUS
  if (folder === undefined || folder === '')
    throw new Error('MAILWRIGHT_CORPUS has to name the folder of the reference data')
  return join(folder, ...names)
}

export interface CorpusMessage {
  /** For example `rfc/003`, with `.crlf` behind it where its line ends were made CRLF. */
  readonly name: string
  readonly message: Buffer
  /** What the other parser made of it. */
  readonly expected: StalwartMessage
}

type Body =
  | { readonly Text: string }
  | { readonly Html: string }
  | { readonly Binary: readonly number[] }
  | { readonly InlineBinary: readonly number[] }
  | { readonly Multipart: readonly number[] }
  | { readonly Message: StalwartMessage }

export interface StalwartHeader {
  readonly name: string | { readonly other: string }
  readonly value: unknown
}

export interface StalwartPart {
  readonly headers: readonly StalwartHeader[]
  readonly is_encoding_problem: boolean
  readonly body: Body
  readonly offset_header: number
  readonly offset_body: number
  readonly offset_end: number
}

export interface StalwartMessage {
  readonly html_body: readonly number[]
  readonly text_body: readonly number[]
  readonly attachments: readonly number[]
  readonly parts: readonly StalwartPart[]
}

/** Every message with a JSON beside it, as it stands and with CRLF. */
export function stalwartMessages(): CorpusMessage[] {
  const found: CorpusMessage[] = []
  for (const folder of ['rfc', 'malformed', 'thirdparty']) {
    const path = corpusPath('mail-parser-stalwart', 'resources', 'eml', folder)
    for (const file of readdirSync(path).sort()) {
      if (!file.endsWith('.json')) continue
      const base = file.slice(0, -5)
      const isCrlf = base.endsWith('.crlf')
      const raw = readFileSync(join(path, `${isCrlf ? base.slice(0, -5) : base}.eml`), 'latin1')
      const text = isCrlf ? raw.replace(/\r/g, '').replace(/\n/g, '\r\n') : raw.replace(/\r/g, '')
      const expected = JSON.parse(readFileSync(join(path, file), 'utf8')) as StalwartMessage
      found.push({ name: `${folder}/${base}`, message: Buffer.from(text, 'latin1'), expected })
    }
  }
  return found
}

/** Every file of the corpus that is a message, as it stands, with its path. */
export function corpusFiles(): [name: string, message: Buffer][] {
  const found: [string, Buffer][] = []
  for (const suite of ['mail-parser-stalwart', 'mail-auth-dkim']) {
    for (const file of readdirSync(corpusPath(suite), { recursive: true, encoding: 'utf8' }).sort()) {
      const isMessage = /\.eml$|(?:dkim|arc).[0-9]+\.txt$|maildir.(?:.*.)?(?:cur|new).[^/\\]+$/.test(file)
      if (isMessage) found.push([`${suite}/${file}`, readFileSync(corpusPath(suite, file))])
    }
  }
  return found
}

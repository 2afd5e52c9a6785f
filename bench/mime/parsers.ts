import { Splitter, Streamer } from '@zone-eu/mailsplit'
import emailjs from 'emailjs-mime-parser'
import { parse as letterParse } from 'letterparser'
import libmime from 'libmime'
import { simpleParser } from 'mailparser'
import PostalMime, { decodeWords as decodePostalWords } from 'postal-mime'
import { FactsReader, MessageReader, type ParsedMessage, parseMessage } from '../../src/mime/index.js'

/** Told of each leaf body, or of pieces of one. */
export type Leaf = (content: string | Uint8Array) => void
/** Reads one message whole: every header decoded, every leaf body decoded and given to `leaf`. */
export type Parser = (message: Buffer, leaf: Leaf) => void | Promise<void>

/** Level 2: events, and every field of every header block decoded. */
function events(message: Buffer, leaf: Leaf): void {
  const reader = new MessageReader()
  reader.receive(message)
  reader.end()
  for (let event = reader.next(); event !== null; event = reader.next()) {
    if (event.type === 'body') leaf(event.data)
    else if (event.type === 'partBegin') {
      const { headers } = event.part
      for (let i = 0; i < headers.length; i++) headers.textAt(i)
    }
  }
}

/** Level 3: the object, with its text decoded, and every field decoded. */
function object(message: Buffer, leaf: Leaf): void {
  const open: ParsedMessage[] = [parseMessage(message)]
  for (let parsed = open.pop(); parsed !== undefined; parsed = open.pop()) {
    for (const part of parsed.parts) {
      for (let i = 0; i < part.headers.length; i++) part.headers.textAt(i)
      if (part.message !== null) open.push(part.message)
      else if (part.content !== null) leaf(part.content)
    }
  }
}

function structure(message: Buffer): void {
  const reader = new FactsReader()
  reader.write(message)
  reader.end()
}

async function postalMime(message: Buffer, leaf: Leaf): Promise<void> {
  const mail = await PostalMime.parse(message, { rfc822Attachments: false })
  // it leaves encoded words in fields it does not know
  for (const { value } of mail.headers) decodePostalWords(value)
  if (mail.text !== undefined) leaf(mail.text)
  if (mail.html !== undefined) leaf(mail.html)
  for (const { content } of mail.attachments)
    leaf(typeof content === 'string' ? content : new Uint8Array(content))
}

async function mailparser(message: Buffer, leaf: Leaf): Promise<void> {
  const mail = await simpleParser(message, {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    skipTextLinks: true,
    keepCidLinks: true,
  })
  // the same; libmime is what it decodes with
  for (const value of mail.headers.values()) if (typeof value === 'string') libmime.decodeWords(value)
  if (mail.text !== undefined) leaf(mail.text)
  if (typeof mail.html === 'string') leaf(mail.html)
  for (const { content } of mail.attachments) leaf(content)
}

interface DecodedNode {
  readonly node: {
    readonly headers: false | { getList(): { key: string }[]; getDecoded(key: string): unknown }
  }
  readonly decoder: NodeJS.ReadableStream
  done(): void
}

function mailsplit(message: Buffer, leaf: Leaf): Promise<void> {
  return new Promise((resolve, reject) => {
    const splitter: NodeJS.ReadWriteStream = new Splitter()
    const streamer: NodeJS.ReadWriteStream = new Streamer((node) => !node.multipart)
    streamer.on('node', ({ node, decoder, done }: DecodedNode) => {
      if (node.headers !== false) for (const { key } of node.headers.getList()) node.headers.getDecoded(key)
      decoder.on('data', (chunk: Buffer) => leaf(chunk))
      decoder.on('error', reject)
      decoder.on('end', done)
    })
    splitter.on('error', reject)
    streamer.on('error', reject)
    streamer.on('data', () => undefined)
    streamer.on('end', resolve)
    splitter.pipe(streamer)
    splitter.end(message)
  })
}

interface EmailjsNode {
  readonly content?: Uint8Array
  readonly childNodes: readonly EmailjsNode[]
}

function emailjsParser(message: Buffer, leaf: Leaf): void {
  const open: EmailjsNode[] = [emailjs.default(message.toString('latin1'))]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.childNodes.length === 0 && node.content !== undefined) leaf(node.content)
    open.push(...node.childNodes)
  }
}

interface LetterNode {
  readonly body: string | Uint8Array | LetterNode | readonly LetterNode[]
}

function letterparser(message: Buffer, leaf: Leaf): void {
  const open: LetterNode[] = [letterParse(message.toString('latin1')) as unknown as LetterNode]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { body } = node
    if (typeof body === 'string' || body instanceof Uint8Array) leaf(body)
    else if (Array.isArray(body)) open.push(...(body as readonly LetterNode[]))
    else open.push(body as LetterNode)
  }
}

/** By name; the first three are this library's levels. */
export const parsers: Readonly<Record<string, Parser>> = {
  'level 2': events,
  'level 3': object,
  'level 1': structure,
  'postal-mime': postalMime,
  mailparser,
  mailsplit,
  'emailjs-mime-parser': emailjsParser,
  letterparser,
}

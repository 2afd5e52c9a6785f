import { KeywordTable } from '../../../core/keyword-table.js'
import type { Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import { scanKeyword, scanValue } from '../../grammar/index.js'
import type { Conversation } from '../conversation.js'
import { badArgument } from '../replies.js'
import { auth, authParameter } from './auth.js'
import { body } from './body.js'
import { deliverBy } from './deliver-by.js'
import { dsn } from './dsn.js'
import type { EnvelopeDraft, Extension, ParameterReader, RecipientDraft } from './extension.js'
import { futureRelease } from './future-release.js'
import * as keyword from './keywords.js'
import { mtPriority } from './mt-priority.js'
import { noSoliciting } from './no-soliciting.js'
import { requireTls } from './require-tls.js'
import { rrvs } from './rrvs.js'
import { size } from './size.js'
import { smtpUtf8 } from './smtp-utf8.js'

const SPACE = 0x20
const NO_SPACE = badArgument('A space must stand before each parameter')
const MALFORMED = badArgument('A parameter is malformed')

/** In the order of the answer to EHLO. */
const offered: readonly Extension[] = [
  keyword.pipelining,
  size,
  body,
  keyword.chunking,
  smtpUtf8,
  dsn,
  keyword.enhancedStatusCodes,
  keyword.limits,
  requireTls,
  deliverBy,
  futureRelease,
  mtPriority,
  rrvs,
  noSoliciting,
  keyword.hostVerbs,
  keyword.xclient,
  keyword.xforward,
  keyword.startTls,
  auth,
]

/** What EHLO offers at this moment of the session; nothing of it may fail to work. */
export function ehloLines(conversation: Conversation): string[] {
  return offered.flatMap((extension) => extension.offer(conversation))
}

interface KnownParameter<T> {
  readonly extension: Extension
  readonly read: ParameterReader<T>
  /** One bit, no two the same. */
  readonly bit: number
}

type Known<T> = KeywordTable<KnownParameter<T>>

function parametersOf<T>(
  of: (extension: Extension) => Readonly<Record<string, ParameterReader<T>>> | undefined,
): Known<T> {
  const all = [...offered, authParameter].flatMap((extension) =>
    Object.entries(of(extension) ?? {}).map(([name, read]) => ({ name, extension, read })),
  )
  return new KeywordTable(
    all.map(({ name, extension, read }, index) => [name, { extension, read, bit: 1 << index }] as const),
  )
}

const ofMail = parametersOf<EnvelopeDraft>((extension) => extension.mail)
const ofRcpt = parametersOf<RecipientDraft>((extension) => extension.rcpt)

/** A command's text and where its parameters begin in it. */
interface Written {
  readonly text: string
  readonly end: number
}

/** Reads the parameters of MAIL into the draft, or says what is wrong. One that EHLO does not offer is unknown: 555. */
export function readMailParameters(
  written: Written,
  draft: EnvelopeDraft,
  conversation: Conversation,
): Reply | null {
  return readParameters(ofMail, written, draft, conversation)
}

/** The same of RCPT. */
export function readRcptParameters(
  written: Written,
  draft: RecipientDraft,
  conversation: Conversation,
): Reply | null {
  return readParameters(ofRcpt, written, draft, conversation)
}

function readParameters<T>(
  known: Known<T>,
  { text, end }: Written,
  draft: T,
  conversation: Conversation,
): Reply | null {
  let seen = 0
  for (let at = end; at < text.length; ) {
    if (text.charCodeAt(at) !== SPACE) return NO_SPACE
    const start = at + 1
    const keywordEnd = scanKeyword(text, start)
    at = keywordEnd === -1 ? -1 : scanValue(text, keywordEnd)
    if (at === -1) return MALFORMED
    const parameter = known.find(text, start, keywordEnd)
    if (parameter === undefined || !isKnown(parameter.extension, conversation)) {
      return reply(555, '5.5.4', `Parameter ${named(text, start, keywordEnd)} is not supported`)
    }
    if ((seen & parameter.bit) !== 0) return badArgument(`${named(text, start, keywordEnd)} is given twice`)
    seen |= parameter.bit
    const value = at === keywordEnd ? null : text.slice(keywordEnd + 1, at)
    const fault = parameter.read(value, draft, conversation)
    if (fault !== null) return fault
  }
  return null
}

function named(text: string, start: number, keywordEnd: number): string {
  return text.slice(start, Math.min(keywordEnd, start + 40)).toUpperCase()
}

function isKnown(extension: Extension, conversation: Conversation): boolean {
  return extension.known === undefined
    ? extension.offer(conversation).length > 0
    : extension.known(conversation)
}

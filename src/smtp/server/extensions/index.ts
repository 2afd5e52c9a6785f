import type { Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import type { Parameters } from '../../grammar/index.js'
import type { Conversation } from '../conversation.js'
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

type Known<T> = ReadonlyMap<string, { readonly extension: Extension; readonly read: ParameterReader<T> }>

function parametersOf<T>(
  of: (extension: Extension) => Readonly<Record<string, ParameterReader<T>>> | undefined,
): Known<T> {
  return new Map(
    [...offered, authParameter].flatMap((extension) =>
      Object.entries(of(extension) ?? {}).map(([name, read]) => [name, { extension, read }] as const),
    ),
  )
}

const ofMail = parametersOf<EnvelopeDraft>((extension) => extension.mail)
const ofRcpt = parametersOf<RecipientDraft>((extension) => extension.rcpt)

/** Reads the parameters of MAIL into the draft, or says what is wrong. One that EHLO does not offer is unknown: 555. */
export function readMailParameters(
  parameters: Parameters,
  draft: EnvelopeDraft,
  conversation: Conversation,
): Reply | null {
  return readParameters(ofMail, parameters, draft, conversation)
}

/** The same of RCPT. */
export function readRcptParameters(
  parameters: Parameters,
  draft: RecipientDraft,
  conversation: Conversation,
): Reply | null {
  return readParameters(ofRcpt, parameters, draft, conversation)
}

function readParameters<T>(
  known: Known<T>,
  parameters: Parameters,
  draft: T,
  conversation: Conversation,
): Reply | null {
  for (const [name, value] of parameters) {
    const parameter = known.get(name)
    if (parameter === undefined || !isKnown(parameter.extension, conversation)) {
      return reply(555, '5.5.4', `Parameter ${name.slice(0, 40)} is not supported`)
    }
    const fault = parameter.read(value, draft, conversation)
    if (fault !== null) return fault
  }
  return null
}

function isKnown(extension: Extension, conversation: Conversation): boolean {
  return extension.known === undefined
    ? extension.offer(conversation).length > 0
    : extension.known(conversation)
}

import { decodeUtf8, fromLatin1 } from '../../core/bytes.js'
import type { Flags, MessageInfo } from '../../interfaces/index.js'
import type { Headers } from '../../mime/index.js'
import { parseDate } from '../../mime/index.js'
import type { SearchKey } from '../command.js'
import type { SequenceSet } from '../sequence-set.js'
import { resolveSequenceSet } from '../sequence-set.js'
import { envelopeText, fold, headerText } from './search-text.js'

const DAY = 86_400_000

/** What is known of one message so far. */
export interface Probe {
  readonly uid: number
  readonly seq: number
  readonly flags: Flags
  readonly recent: boolean
  readonly info: MessageInfo | null
  readonly headers: Headers | null
  /** For each of `Search.needles`, whether the body holds it. */
  readonly inBody: readonly boolean[] | null
}

/** What a test must know: what the view knows, the store's info, facts, the header, the body. */
export type Depth = 'view' | 'info' | 'facts' | 'header' | 'body'
const depths: readonly Depth[] = ['view', 'info', 'facts', 'header', 'body']

/** True when `depth` is that deep or deeper. */
export function reaches(depth: Depth, level: Depth): boolean {
  return depths.indexOf(depth) >= depths.indexOf(level)
}

/** True, false, or undefined where more must be known. */
export type Test = (probe: Probe) => boolean | undefined

/** A search key ready to be run over many messages. */
export interface Search {
  readonly test: Test
  readonly depth: Depth
  /** Folded texts that are looked for in bodies. */
  readonly needles: readonly string[]
}

/** The mailbox's bounds, which `*` in a set stands for. */
export interface SearchBounds {
  readonly count: number
  readonly largestUid: number
}

type Compiled = Pick<Search, 'test' | 'depth'>
type KeyOf<T extends SearchKey['type']> = Extract<SearchKey, { readonly type: T }>

/** The key as one test that asks cheap questions first. Null where a text in it is not UTF-8. */
export function compileSearch(key: SearchKey, bounds: SearchBounds): Search | null {
  const needles: string[] = []
  const texts = new Map<string, string | null>()
  collectTexts(key, texts)
  for (const text of texts.values()) if (text === null) return null
  const compiled = compile(key, bounds, (text) => texts.get(text) ?? '', needles)
  return { ...compiled, needles }
}

/** Every text of the key as the client wrote it, and as it is compared. Nesting is bounded by the parser. */
function collectTexts(key: SearchKey, texts: Map<string, string | null>): void {
  if ('text' in key) {
    const decoded = decodeUtf8(fromLatin1(key.text))
    texts.set(key.text, decoded === null ? null : fold(decoded))
  } else if (key.type === 'NOT') collectTexts(key.key, texts)
  else if (key.type === 'AND' || key.type === 'OR') for (const inner of key.keys) collectTexts(inner, texts)
}

/** Nesting is bounded by the parser. */
function compile(
  key: SearchKey,
  bounds: SearchBounds,
  textOf: (text: string) => string,
  needles: string[],
): Compiled {
  switch (key.type) {
    case 'ALL':
      return { depth: 'view', test: () => true }
    case 'AND':
    case 'OR': {
      const parts = key.keys.map((inner) => compile(inner, bounds, textOf, needles))
      return combine(parts, key.type === 'OR')
    }
    case 'NOT': {
      const { depth, test } = compile(key.key, bounds, textOf, needles)
      return { depth, test: (probe) => negate(test(probe)) }
    }
    case 'SEQUENCE': {
      const within = setTest(key.set, bounds.count)
      return { depth: 'view', test: ({ seq }) => within(seq) }
    }
    case 'UID': {
      const within = setTest(key.set, bounds.largestUid)
      return { depth: 'view', test: ({ uid }) => within(uid) }
    }
    case 'FLAG':
      return { depth: 'view', test: flagTest(key) }
    case 'RECENT':
      return { depth: 'view', test: ({ recent }) => recent === key.set }
    case 'INTERNALDATE':
      return {
        depth: 'info',
        test: ({ info }) => (info === null ? undefined : onDay(info.internalDate, key)),
      }
    case 'SIZE':
      return { depth: 'info', test: sizeTest(key) }
    case 'SENTDATE':
      return { depth: 'facts', test: sentTest(key) }
    case 'HEADER':
      return headerTest(key.field, textOf(key.text))
    case 'BODY':
    case 'TEXT':
      return contentTest(textOf(key.text), key.type === 'TEXT', needles)
    default:
      return key satisfies never
  }
}

function negate(result: boolean | undefined): boolean | undefined {
  return result === undefined ? undefined : !result
}

/** AND (`decisive` false) and OR (`decisive` true): one decisive part is enough, whatever the others will say. */
function combine(parts: Compiled[], decisive: boolean): Compiled {
  parts.sort((a, b) => depths.indexOf(a.depth) - depths.indexOf(b.depth))
  const tests = parts.map((part) => part.test)
  const test = (probe: Probe): boolean | undefined => {
    let result: boolean | undefined = !decisive
    for (const part of tests) {
      const found = part(probe)
      if (found === decisive) return decisive
      if (found === undefined) result = undefined
    }
    return result
  }
  return { depth: parts.at(-1)?.depth ?? 'view', test }
}

/** Numbers in the set, found by halving. */
function setTest(set: SequenceSet, largest: number): (number: number) => boolean {
  const ranges = resolveSequenceSet(set, largest)
  return (number) => {
    let low = 0
    let high = ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ranges[middle]?.[1] ?? 0) < number) low = middle + 1
      else high = middle
    }
    const range = ranges[low]
    return range !== undefined && range[0] <= number
  }
}

/** Messages with the same flags share the array, so that each set of flags is looked at once. */
function flagTest(key: KeyOf<'FLAG'>): Test {
  const wanted = key.flag.toLowerCase()
  const known = new WeakMap<Flags, boolean>()
  return ({ flags }) => {
    let result = known.get(flags)
    if (result === undefined) {
      result = flags.some((flag) => flag.toLowerCase() === wanted) === key.set
      known.set(flags, result)
    }
    return result
  }
}

function sizeTest({ test, octets }: KeyOf<'SIZE'>): Test {
  return ({ info }) => {
    if (info === null) return undefined
    return test === 'larger' ? info.size > octets : info.size < octets
  }
}

/** `ms` as if in UTC. */
function onDay(ms: number, { test, day }: Pick<KeyOf<'SENTDATE'>, 'test' | 'day'>): boolean {
  const found = Math.floor(ms / DAY) * DAY
  return test === 'before' ? found < day : test === 'on' ? found === day : found >= day
}

/** The day that the Date field names, whatever its zone. A message without a date that can be read is on no day. */
function sentTest(key: KeyOf<'SENTDATE'>): Test {
  return ({ info }) => {
    if (info === null) return undefined
    const date = parseDate(info.facts?.envelope.date ?? '')
    return date !== null && onDay(date.ms + date.offsetMinutes * 60_000, key)
  }
}

/** Fields of the ENVELOPE are known without the header; whether one is there at all, only the header says. */
function headerTest(field: string, needle: string): Compiled {
  const inEnvelope = needle === '' ? null : envelopeText(field)
  if (inEnvelope !== null) {
    const test: Test = ({ info }) => {
      const envelope = info?.facts?.envelope
      return envelope === undefined ? undefined : inEnvelope(envelope).includes(needle)
    }
    return { depth: 'facts', test }
  }
  const test: Test = ({ headers }) => {
    if (headers === null) return undefined
    if (needle === '') return headers.has(field)
    return headers.getAll(field).some((value) => headerText(value).includes(needle))
  }
  return { depth: 'header', test }
}

/** BODY, and TEXT, which the header may hold as well. */
function contentTest(needle: string, headerToo: boolean, needles: string[]): Compiled {
  if (needle === '') return { depth: 'view', test: () => true }
  const index = needles.includes(needle) ? needles.indexOf(needle) : needles.push(needle) - 1
  const test: Test = ({ headers, inBody }) => {
    if (headerToo && headers !== null && headerHolds(headers, needle)) return true
    return inBody === null ? undefined : inBody[index] === true
  }
  return { depth: 'body', test }
}

function headerHolds(headers: Headers, needle: string): boolean {
  for (let i = 0; i < headers.length; i++) {
    if (`${headers.nameAt(i)}: ${headerText(headers.valueAt(i))}`.includes(needle)) return true
  }
  return false
}

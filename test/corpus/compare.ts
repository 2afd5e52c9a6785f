import type { ParsedMessage, ParsedPart } from '../../src/mime/index.js'
import { partText } from '../../src/mime/index.js'
import type { CorpusMessage, StalwartHeader, StalwartMessage, StalwartPart } from './corpus.js'

/** Where the two readings of a message differ, each as `part 2 offsets: 3-4-5, not 3-4-6`. */
export function differencesOf({ expected }: CorpusMessage, parsed: ParsedMessage): string[] {
  return compare(parsed, expected, parsed.defects, '')
}

function compare(
  ours: ParsedMessage,
  theirs: StalwartMessage,
  defects: ParsedMessage['defects'],
  path: string,
): string[] {
  const out: string[] = []
  const say = (where: string, mine: unknown, other: unknown): void => {
    const [a, b] = [JSON.stringify(mine), JSON.stringify(other)]
    if (a !== b) out.push(`${path}${where}: ${a?.slice(0, 300)}, not ${b?.slice(0, 300)}`)
  }
  say('parts', ours.parts.length, theirs.parts.length)
  if (ours.parts.length !== theirs.parts.length) return out
  const at = (part: ParsedPart): number => ours.parts.indexOf(part)
  for (const [i, part] of ours.parts.entries()) {
    const other = theirs.parts[i] as StalwartPart
    const where = `part ${i}`
    say(`${where} header`, part.headerOffset, other.offset_header)
    say(`${where} body`, part.bodyOffset, other.offset_body)
    say(`${where} end`, part.endOffset, other.offset_end)
    const type = contentTypeOf(other)
    if (type !== null) say(`${where} type`, part.type, type)
    const damaged = defects.some(
      ({ code, offset }) => code === 'encodingDamaged' && offset === part.bodyOffset,
    )
    say(`${where} damaged`, damaged, other.is_encoding_problem)
    say(`${where} filename`, part.filename, filenameOf(other))
    const { body } = other
    if ('Multipart' in body) say(`${where} children`, part.parts.map(at), body.Multipart)
    else if ('Text' in body) say(`${where} text`, partText(part), body.Text)
    else if ('Html' in body) say(`${where} html`, partText(part), body.Html)
    else if ('Binary' in body) say(`${where} octets`, hex(part.content), hex(Uint8Array.from(body.Binary)))
    else if ('InlineBinary' in body)
      say(`${where} octets`, hex(part.content), hex(Uint8Array.from(body.InlineBinary)))
    else if (part.message === null) say(`${where} message`, null, 'message')
    else out.push(...compare(part.message, body.Message, defects, `${path}${where} > `))
  }
  const attachments = ours.attachments.filter(({ source }) => source === 'part').map(({ part }) => at(part))
  say('attachments', attachments, theirs.attachments)
  say('subject', ours.subject, firstValue(theirs, 'subject', 'Text'))
  say('message id', ours.messageId, firstValue(theirs, 'message_id', 'Text'))
  say('from', addresses(ours.from), addressesIn(firstValue(theirs, 'from', 'Address')))
  say('to', addresses(ours.to), addressesIn(firstValue(theirs, 'to', 'Address')))
  say('date', ours.date?.ms ?? null, dateIn(firstValue(theirs, 'date', 'DateTime')))
  return out
}

function hex(octets: Uint8Array | null): string | null {
  return octets === null ? null : Buffer.from(octets).toString('latin1')
}

function headerIn(headers: readonly StalwartHeader[], name: string): Record<string, unknown> | null {
  const found = headers.find((header) => header.name === name)?.value
  return found !== null && typeof found === 'object' ? (found as Record<string, unknown>) : null
}

function firstValue(message: StalwartMessage, name: string, kind: string): unknown {
  return headerIn(message.parts[0]?.headers ?? [], name)?.[kind] ?? null
}

interface ContentTypeValue {
  readonly c_type: string
  readonly c_subtype?: string | null
  readonly attributes?: readonly { readonly name: string; readonly value: string }[] | null
}

function contentTypeOf(part: StalwartPart): string | null {
  const value = headerIn(part.headers, 'content_type')?.ContentType as ContentTypeValue | undefined
  return value === undefined ? null : `${value.c_type.toLowerCase()}/${value.c_subtype?.toLowerCase() ?? ''}`
}

function filenameOf(part: StalwartPart): string | null {
  for (const [field, name] of [
    ['content_disposition', 'filename'],
    ['content_type', 'name'],
  ] as const) {
    const value = headerIn(part.headers, field)?.ContentType as ContentTypeValue | undefined
    const found = value?.attributes?.find((attribute) => attribute.name === name)
    if (found !== undefined) return found.value
  }
  return null
}

interface MailboxValue {
  readonly name?: string | null
  readonly address?: string | null
}

type AddressValue =
  | { readonly List: readonly MailboxValue[] }
  | {
      readonly Group: readonly {
        readonly name?: string | null
        readonly addresses: readonly MailboxValue[]
      }[]
    }

/** Groups flattened to their members, as `name <address>`. */
function addresses(list: ParsedMessage['from']): string[] {
  return list
    .flatMap((address) => address.group ?? [address])
    .map(({ name, address }) => `${name} <${address}>`)
}

export function addressesIn(value: unknown): string[] {
  if (value === null) return []
  const given = value as AddressValue
  const all = 'List' in given ? given.List : given.Group.flatMap((group) => group.addresses)
  return all.map(({ name, address }) => `${name ?? ''} <${address ?? ''}>`)
}

interface DateValue {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly tz_before_gmt: boolean
  readonly tz_hour: number
  readonly tz_minute: number
}

export function dateIn(value: unknown): number | null {
  if (value === null) return null
  const date = value as DateValue
  const zone = (date.tz_hour * 60 + date.tz_minute) * (date.tz_before_gmt ? -1 : 1)
  return Date.UTC(date.year, date.month - 1, date.day, date.hour, date.minute, date.second) - zone * 60_000
}

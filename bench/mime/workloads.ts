import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const workloadNames = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'W7'] as const
export type WorkloadName = (typeof workloadNames)[number]

export const workloadTitles: Readonly<Record<WorkloadName, string>> = {
  W1: '10,000 text mails of 3 KB',
  W2: '1,000 multipart/alternative of 28 KB, quoted-printable html',
  W3: 'one 26 MB base64 attachment',
  W4: 'one 25 MB quoted-printable part',
  W5: '20 mails of 500 parts, 20 nested 50 deep',
  W6: '1,000 mails with 300 headers, encoded words, folding',
  W7: 'every message of the corpus',
}

/** The same numbers on every machine (a linear congruential generator). */
class Numbers {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 4_294_967_296) * limit)
  }
}

const words =
  'the message of a day is read by those who wait for it and answered when there is time since every letter counts while nothing else does'.split(
    ' ',
  )
const accents = ['é', 'ü', 'ñ', '—', '“', '”', 'ß', 'å']

function sentence(numbers: Numbers, length: number): string {
  let text = ''
  while (text.length < length) text += `${words[numbers.below(words.length)]} `
  return text.slice(0, length).trimEnd().padEnd(length, '.')
}

function paragraphs(numbers: Numbers, size: number): string {
  let text = ''
  while (text.length < size) text += `${sentence(numbers, 50 + numbers.below(26))}\r\n`
  return text
}

/** Fields of a mail that has come a usual way. */
function header(numbers: Numbers, index: number): string {
  const host = `mx${numbers.below(90)}.example.net`
  return [
    `Received: from ${host} (${host} [192.0.2.${numbers.below(255)}])`,
    `\tby mail.example.org (Postfix) with ESMTPS id ${numbers.below(1e9).toString(36)}`,
    `\tfor <reader@example.org>; Fri, 21 Nov 2025 09:55:06 -0600 (CST)`,
    `From: "A. Writer" <writer${index}@example.net>`,
    `To: Reader <reader@example.org>, Other <other${index}@example.org>`,
    `Subject: ${sentence(numbers, 30 + numbers.below(30))}`,
    `Date: Fri, 21 Nov 2025 09:55:${String(numbers.below(60)).padStart(2, '0')} -0600`,
    `Message-ID: <${index}.${numbers.below(1e9)}@example.net>`,
    'MIME-Version: 1.0',
    '',
  ].join('\r\n')
}

function textMails(): Buffer[] {
  const numbers = new Numbers(1)
  return Array.from({ length: 10_000 }, (_, i) =>
    Buffer.from(
      `${header(numbers, i)}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${paragraphs(numbers, 2_400)}`,
    ),
  )
}

/** Quoted-printable as mail programs write it: `=` and 8-bit octets escaped, soft breaks at 75. */
function quotedPrintable(text: string): string {
  const out: string[] = []
  for (const line of text.split('\r\n')) {
    let written = ''
    for (const character of line) {
      const piece =
        character === '=' || character > '~'
          ? [...Buffer.from(character)]
              .map((octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`)
              .join('')
          : character
      if (written.length + piece.length > 75) {
        out.push(`${written}=`)
        written = ''
      }
      written += piece
    }
    out.push(written)
  }
  return out.join('\r\n')
}

function html(numbers: Numbers, size: number): string {
  let text = '<html><body>\r\n'
  while (text.length < size) {
    const accent = accents[numbers.below(accents.length)]
    text += `<td style="padding:0 ${numbers.below(30)}px" class="c${numbers.below(20)}"><a href="https://example.net/?id=${numbers.below(1e6)}">${sentence(numbers, 40 + numbers.below(60))} ${accent}</a></td>\r\n`
  }
  return `${text}</body></html>`
}

function alternatives(): Buffer[] {
  const numbers = new Numbers(2)
  return Array.from({ length: 1_000 }, (_, i) => {
    const boundary = `----=_Part_${numbers.below(1e9)}`
    const plain = paragraphs(numbers, 4_000)
    return Buffer.from(
      [
        `${header(numbers, i)}Content-Type: multipart/alternative; boundary="${boundary}"`,
        '',
        `--${boundary}`,
        'Content-Type: text/plain; charset=utf-8',
        '',
        plain,
        `--${boundary}`,
        'Content-Type: text/html; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        quotedPrintable(html(numbers, 20_000)),
        `--${boundary}--`,
        '',
      ].join('\r\n'),
    )
  })
}

function base64Lines(octets: Buffer): string {
  return octets.toString('base64').replace(/.{76}/g, '$&\r\n')
}

function largeBase64(): Buffer[] {
  const numbers = new Numbers(3)
  const octets = Buffer.alloc(19_000_000)
  for (let i = 0; i < octets.length; i++) octets[i] = numbers.below(256)
  return [
    Buffer.from(
      [
        `${header(numbers, 0)}Content-Type: multipart/mixed; boundary=outer`,
        '',
        '--outer',
        'Content-Type: text/plain',
        '',
        'see the file',
        '--outer',
        'Content-Type: application/octet-stream; name="a.bin"',
        'Content-Disposition: attachment; filename="a.bin"',
        'Content-Transfer-Encoding: base64',
        '',
        base64Lines(octets),
        '--outer--',
        '',
      ].join('\r\n'),
    ),
  ]
}

function largeQuotedPrintable(): Buffer[] {
  const numbers = new Numbers(4)
  let encoded = ''
  const piece = quotedPrintable(html(numbers, 1_000_000))
  while (encoded.length < 25_000_000) encoded += `${piece}\r\n`
  return [
    Buffer.from(
      `${header(numbers, 0)}Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${encoded}`,
    ),
  ]
}

function manyParts(): Buffer[] {
  const numbers = new Numbers(5)
  const leaf = (i: number): string => {
    const body = paragraphs(numbers, 150 + numbers.below(150))
    return i % 2 === 0
      ? `Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment; filename="part${i}.txt"\r\n\r\n${body}`
      : `Content-Type: application/octet-stream; name="part${i}.bin"\r\nContent-Disposition: attachment; filename="part${i}.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(Buffer.from(body))}\r\n`
  }
  const wide = Array.from({ length: 20 }, (_, i) => {
    let text = `${header(numbers, i)}Content-Type: multipart/mixed; boundary=wide${i}\r\n\r\n`
    for (let part = 0; part < 500; part++) text += `--wide${i}\r\n${leaf(part)}\r\n`
    return Buffer.from(`${text}--wide${i}--\r\n`)
  })
  const deep = Array.from({ length: 20 }, (_, i) => {
    let before = header(numbers, i)
    let after = ''
    for (let level = 0; level < 50; level++) {
      const boundary = `deep_${i}_${level}`
      before += `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n--${boundary}\r\n${leaf(level)}\r\n--${boundary}\r\n`
      after = `\r\n--${boundary}--\r\n${after}`
    }
    return Buffer.from(`${before}Content-Type: text/plain\r\n\r\ninnermost\r\n${after}`)
  })
  return [...wide, ...deep]
}

function manyHeaders(): Buffer[] {
  const numbers = new Numbers(6)
  const field = (i: number): string => {
    const text = sentence(numbers, 20 + numbers.below(40))
    switch (i % 4) {
      case 0:
        return `X-Field-${i}: ${text}`
      case 1:
        return `X-Word-${i}: =?utf-8?Q?${text.replaceAll(' ', '_')}=C3=A9?=`
      case 2:
        return `X-Folded-${i}: ${text}\r\n\t${sentence(numbers, 50)}\r\n ${sentence(numbers, 30)}`
      default:
        return `X-Base-${i}: =?utf-8?B?${Buffer.from(`${text}ü`).toString('base64')}?=\r\n =?utf-8?B?${Buffer.from('next').toString('base64')}?=`
    }
  }
  return Array.from({ length: 1_000 }, (_, i) => {
    const fields = Array.from({ length: 300 }, (_, n) => field(n))
    return Buffer.from(
      `${header(numbers, i)}${fields.join('\r\n')}\r\nContent-Type: text/plain\r\n\r\nshort\r\n`,
    )
  })
}

/** Every .eml below the folder, in the order of their names. */
export function corpusMessages(folder: string): Buffer[] {
  const messages: Buffer[] = []
  const open = [folder]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const name of readdirSync(path).sort()) {
      const inside = join(path, name)
      if (statSync(inside).isDirectory()) open.push(inside)
      else if (name.endsWith('.eml')) messages.push(readFileSync(inside))
    }
  }
  return messages
}

/** The messages of a workload; W7 needs the folder of the corpus. */
export function buildWorkload(name: WorkloadName, corpus: string): Buffer[] {
  switch (name) {
    case 'W1':
      return textMails()
    case 'W2':
      return alternatives()
    case 'W3':
      return largeBase64()
    case 'W4':
      return largeQuotedPrintable()
    case 'W5':
      return manyParts()
    case 'W6':
      return manyHeaders()
    case 'W7':
      return corpusMessages(corpus)
  }
}

/** Each message after its size in four octets, little-endian: what every worker, C included, reads. */
export function pack(messages: readonly Buffer[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const size = Buffer.alloc(4)
      size.writeUInt32LE(message.length)
      return [size, message]
    }),
  )
}

export function unpack(packed: Buffer): Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at < packed.length; ) {
    const size = packed.readUInt32LE(at)
    messages.push(Buffer.from(packed.subarray(at + 4, at + 4 + size)))
    at += 4 + size
  }
  return messages
}

import libmime from 'libmime'
import libqp from 'libqp'
import addressparser from 'nodemailer/lib/addressparser/index.js'
import { addressParser } from 'postal-mime'
import { decodeBody, decodeWords, Headers, parseMailboxes } from '../src/mime/index.js'

// Compares the pieces of the message parser with those of others, by processor time, each in rounds that alternate.

interface Contest {
  readonly title: string
  /** Octets of input a call. */
  readonly size: number
  /** Ours first; each gives something that shows the work was done, which has to be the same for all. */
  readonly runs: readonly (readonly [name: string, run: () => unknown])[]
}

const addresses = Array.from({ length: 200 }, (_, i) =>
  i % 3 === 0
    ? `"Person ${i}, of a place" <person.${i}@example.net>`
    : i % 3 === 1
      ? `someone${i}@example.org`
      : `Plain Name ${i} <plain${i}@mail.example.com>`,
).join(', ')
const subject = Array.from(
  { length: 40 },
  (_, i) =>
    `=?UTF-8?${i % 2 === 0 ? 'Q?caf=C3=A9_and_more_' : `B?${Buffer.from('größer als').toString('base64')}`}?=`,
).join(' word ')
const quotedPrintable = Buffer.from(
  '<td style=3D"padding:0 3px" class=3D"c7">a text with one =C3=A9 in it and=\r\n its soft break</td>\r\n'.repeat(
    700,
  ),
)
const base64 = Buffer.from(
  Buffer.alloc(48_000, 'some octets of a file').toString('base64').replace(/.{76}/g, '$&\r\n'),
)
const block = Buffer.from(
  `${Array.from({ length: 40 }, (_, i) => `X-Field-${i}: a value of some length\r\n\tfolded once ${i}`).join('\r\n')}\r\n\r\n`,
)

const contests: readonly Contest[] = [
  {
    title: 'address list',
    size: addresses.length,
    runs: [
      ['mailwright', () => parseMailboxes(addresses).length],
      ['nodemailer', () => addressparser(addresses).length],
      ['postal-mime', () => addressParser(addresses).length],
    ],
  },
  {
    title: 'encoded words',
    size: subject.length,
    runs: [
      ['mailwright', () => decodeWords(subject)],
      ['libmime', () => libmime.decodeWords(subject)],
    ],
  },
  {
    title: 'quoted-printable',
    size: quotedPrintable.length,
    runs: [
      ['mailwright', () => decodeBody(quotedPrintable, 'quoted-printable').length],
      ['libqp', () => libqp.decode(quotedPrintable.toString('latin1')).length],
    ],
  },
  {
    title: 'base64',
    size: base64.length,
    runs: [
      ['mailwright', () => decodeBody(base64, 'base64').length],
      ['Buffer.from', () => Buffer.from(base64.toString('latin1'), 'base64').length],
    ],
  },
  {
    title: 'header block',
    size: block.length,
    runs: [
      [
        'mailwright',
        () => {
          const headers = new Headers(block)
          for (let i = 0; i < headers.length; i++) headers.textAt(i)
          return headers.length
        },
      ],
      ['libmime', () => Object.keys(libmime.decodeHeaders(block.toString('latin1'))).length],
    ],
  },
]

const ROUNDS = 5
const SECONDS = 0.4

function rate(size: number, run: () => unknown): number {
  const start = process.cpuUsage()
  let calls = 0
  let cpu = 0
  while (cpu < SECONDS) {
    for (let i = 0; i < 50; i++) run()
    calls += 50
    const { user, system } = process.cpuUsage(start)
    cpu = (user + system) / 1e6
  }
  return (size * calls) / 1e6 / cpu
}

for (const { title, size, runs } of contests) {
  const results = runs.map(([, run]) => JSON.stringify(run()))
  if (new Set(results).size > 1) console.log(`${title}: results differ: ${results.join(' ').slice(0, 300)}`)
  const rates = runs.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, [, run]] of runs.entries()) rates[i]?.push(rate(size, run))
  const medians = rates.map((all) => all.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0)
  const best = Math.max(...medians.slice(1))
  console.log(
    `${title.padEnd(18)} ${runs.map(([name], i) => `${name} ${medians[i]?.toFixed(0)}`).join(', ')} MB/s: ${((medians[0] ?? 0) / best).toFixed(2)} times the best other`,
  )
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DotReader,
  DotWriter,
  decodeUtf8,
  escapeControls,
  InputQueue,
  OutputQueue,
  resolveLimits,
  toLatin1,
  type WireEntry,
  WireLog,
} from '../../src/core/index.js'
import { checkLines } from '../../src/core/line-check.js'
import { growth } from '../support/growth.js'

const octets = fc.uint8Array({ maxLength: 200 })
/** Texts of the octets that matter to dots and line ends. */
const tricky = fc.string({ unit: fc.constantFrom('.', '\r', '\n', 'a', '\0'), maxLength: 40 })

function chop(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? 1)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

describe('InputQueue', () => {
  it('gives the same lines however the input is cut', () => {
    fc.assert(
      fc.property(tricky, fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 5 }), (text, sizes) => {
        const queue = new InputQueue()
        const lines: string[] = []
        for (const piece of chop(Buffer.from(text, 'latin1'), sizes)) {
          queue.push(piece)
          for (let line = queue.takeLine(100); line !== null; line = queue.takeLine(100)) {
            lines.push(line === 'too-long' ? '!' : toLatin1(line))
          }
        }
        expect(lines.join('') + toLatin1(queue.takeExact(queue.size) ?? Buffer.alloc(0))).toBe(text)
        expect(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(
          true,
        )
      }),
    )
  })

  it('brings the same lines together in one piece, and takes nothing', () => {
    fc.assert(
      fc.property(tricky, fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 5 }), (text, sizes) => {
        const queue = new InputQueue()
        let read = ''
        const readLines = (): void => {
          for (let size = queue.lineSize(100); size !== 0; size = queue.lineSize(100)) {
            expect(queue.lineSize(100)).toBe(size)
            const { head, offset } = queue
            read += toLatin1(head, offset, offset + size)
            expect(read.endsWith('\n')).toBe(true)
            queue.skip(size)
          }
        }
        for (const [index, piece] of chop(Buffer.from(text, 'latin1'), sizes).entries()) {
          queue.push(piece)
          if (index % 3 === 0) readLines()
        }
        readLines()
        expect(read).toBe(text.slice(0, text.lastIndexOf('\n') + 1))
        expect(queue.size).toBe(text.length - read.length)
      }),
    )
    const queue = new InputQueue()
    queue.push(Buffer.from('12345\r\nok\r\n'))
    expect(queue.lineSize(6)).toBe(-1)
    expect(queue.lineSize(7)).toBe(7)
  })

  it('says when a line is too long, with and without its end', () => {
    const queue = new InputQueue()
    queue.push(Buffer.from('12345\r\nok\r\n'))
    expect(queue.takeLine(6)).toBe('too-long')
    expect(queue.skipLine()).toBe(true)
    expect(toLatin1(queue.takeLine(6) as Buffer)).toBe('ok\r\n')
    queue.push(Buffer.from('1234567'))
    expect(queue.takeLine(6)).toBe('too-long')
    expect(queue.skipLine()).toBe(false)
    expect(queue.size).toBe(0)
  })

  it('takes time linear in its input for octets that come one by one', () => {
    const one = Buffer.from('x')
    const ratio = growth(100_000, (size) => () => {
      const queue = new InputQueue()
      for (let i = 0; i < size; i++) {
        queue.push(one)
        queue.takeLine(10_000_000)
      }
    })
    expect(ratio).toBeLessThan(6)
    const octets = [...'line\r\n'].map((octet) => Buffer.from(octet))
    const gathered = growth(60_000, (size) => () => {
      const queue = new InputQueue()
      for (let i = 0; i < size; i++) queue.push(octets[i % octets.length] as Buffer)
      for (let line = queue.lineSize(100); line > 0; line = queue.lineSize(100)) queue.skip(line)
    })
    expect(gathered).toBeLessThan(6)
  })
})

describe('OutputQueue', () => {
  it('keeps the order of texts and octets and does not copy octets', () => {
    const queue = new OutputQueue('server')
    const body = Buffer.from('body')
    queue.text('a')
    queue.text('b')
    queue.bytes(body)
    queue.utf8('é')
    expect(queue.size).toBe(8)
    const out = queue.take()
    expect(Buffer.concat(out).toString('utf8')).toBe('abbodyé')
    expect(out[1]).toBe(body)
    expect(queue.size).toBe(0)
  })

  it('logs whole lines, and bodies as a count', () => {
    const entries: WireEntry[] = []
    const queue = new OutputQueue('server', new WireLog((entry) => entries.push(entry)))
    queue.text('250-')
    queue.text('a\r\n250 b\r\n')
    queue.bytes(Buffer.from('secret'))
    expect(entries).toEqual([
      { from: 'server', kind: 'line', text: '250-a', octets: 7 },
      { from: 'server', kind: 'line', text: '250 b', octets: 7 },
      { from: 'server', kind: 'octets', text: '', octets: 6 },
    ])
  })
})

describe('DotReader and DotWriter', () => {
  const unstuff = (pieces: readonly Buffer[], longestLine = Number.POSITIVE_INFINITY) => {
    const reader = new DotReader({ longestLine })
    let body = ''
    let rest = ''
    for (const piece of pieces) {
      if (reader.ended) {
        rest += toLatin1(piece)
        continue
      }
      const { body: part, used } = reader.read(piece)
      body += toLatin1(part)
      rest += toLatin1(piece.subarray(used))
    }
    return {
      body,
      rest,
      ended: reader.ended,
      bareLf: reader.bareLf,
      bareCr: reader.bareCr,
      longLine: reader.longLine,
    }
  }

  /** What RFC 5321 section 4.5.2 says, on a whole text. */
  const model = (text: string) => {
    let body = ''
    let at = 0
    for (;;) {
      if (text.startsWith('.\r\n', at)) return { body, rest: text.slice(at + 3), ended: true }
      const end = text.indexOf('\r\n', at)
      const line = end === -1 ? text.slice(at) : text.slice(at, end + 2)
      body += line.startsWith('.') ? line.slice(1) : line
      if (end === -1) return { body, rest: '', ended: false }
      at = end + 2
    }
  }

  it('reads as the RFC says, however the input is cut', () => {
    fc.assert(
      fc.property(tricky, fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }), (text, sizes) => {
        const whole = `${text}\r\n.\r\nQUIT\r\n`
        const seen = unstuff(chop(Buffer.from(whole, 'latin1'), sizes))
        expect(seen).toMatchObject(model(whole))
        const data = whole.slice(0, whole.length - seen.rest.length)
        expect(seen.bareLf).toBe(/(^|[^\r])\n/.test(data))
        expect(seen.bareCr).toBe(/\r(?!\n)/.test(data))
      }),
      { numRuns: 2000 },
    )
  })

  it('reads long texts as the RFC says, with and without dots, however they are cut', () => {
    const line = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('', '.', '..', '.x', 'x', '. x', 'x.', '...') },
      { weight: 3, arbitrary: fc.integer({ min: 20, max: 300 }).map((length) => 'x'.repeat(length)) },
      { weight: 1, arbitrary: fc.integer({ min: 20, max: 300 }).map((length) => `.${'x'.repeat(length)}`) },
    )
    const lines = fc.array(line, { minLength: 50, maxLength: 400, size: 'max' })
    const sizes = fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 1, maxLength: 6 })
    const oddity = fc.constantFrom('', '', '', '\n', '\r', '\r\n.\n', '\n.\r\n')
    fc.assert(
      fc.property(lines, sizes, oddity, fc.nat(), (all, cuts, odd, place) => {
        const stuffed = all.map((each) => (each === '.' ? '..' : each)).join('\r\n')
        const at = place % (stuffed.length + 1)
        const whole = `${stuffed.slice(0, at)}${odd}${stuffed.slice(at)}\r\n.\r\n.QUIT\r\n..\r\n`
        const { body, rest, ended, bareLf, bareCr } = unstuff(chop(Buffer.from(whole, 'latin1'), cuts))
        const expected = model(whole)
        if (body !== expected.body || rest !== expected.rest) expect({ body, rest }).toEqual(expected)
        expect(ended).toBe(true)
        const data = whole.slice(0, whole.length - rest.length)
        expect([bareLf, bareCr]).toEqual([/(^|[^\r])\n/.test(data), /\r(?!\n)/.test(data)])
      }),
      { numRuns: 400 },
    )
  })

  it('knows a dot from the end of the data at the edge of what it looks at, and of a chunk', () => {
    const oddities = [
      '\r\n.\r\n',
      '\r\n.\rx\r\n',
      '\r\n..\r\n',
      '\n.\r\n',
      '\r.\r\n',
      '\r\n.x\n.\r\n',
      '\r\n.\r',
    ]
    for (const edge of [1000, 4096, 4096 + 32_768]) {
      for (const odd of oddities) {
        for (let at = edge - 9; at <= edge + 2; at++) {
          const lead = `..\r\n${'x'.repeat(at - 4)}`
          const whole = `${lead}${odd}${'y'.repeat(300)}\r\n.\r\n`
          const cuts = edge === 1000 ? [edge, whole.length] : [whole.length]
          const { body, rest, bareLf, bareCr } = unstuff(chop(Buffer.from(whole, 'latin1'), cuts))
          const expected = model(whole)
          const data = whole.slice(0, whole.length - expected.rest.length)
          const good = body === expected.body && rest === expected.rest
          const flags = bareLf === /(^|[^\r])\n/.test(data) && bareCr === /\r(?!\n)/.test(data)
          if (!good || !flags) expect.fail(`${JSON.stringify(odd)} at ${at}, edge ${edge}`)
        }
      }
    }
  })

  it('counts no stuffing to the length of a line', () => {
    const line = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 300 }))
    const all = fc.array(line, { minLength: 1, maxLength: 60, size: 'max' })
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(all, sizes, (lines, cuts) => {
        const longest = Math.max(...lines.map(([, length]) => length))
        const text = lines.map(([dot, length]) => `${dot && length > 0 ? '.' : ''}${'x'.repeat(length)}\r\n`)
        const whole = Buffer.from(`${text.join('')}.\r\n`)
        expect(unstuff(chop(whole, cuts), longest).longLine).toBe(false)
        if (longest > 0) expect(unstuff(chop(whole, cuts), longest - 1).longLine).toBe(true)
      }),
      { numRuns: 400 },
    )
  })

  it('sees proper lines at once, and what is not proper', () => {
    const look = (text: string, before = 10) => checkLines(Buffer.from(text, 'latin1'), before)
    for (const length of [1, 2, 15, 16, 17, 33, 16_380]) {
      const rest = 'x'.repeat(length)
      expect(look(`a\r\n${rest}`)).toBe('clean')
      expect(look(`${rest}\r`)).toBe('clean')
      expect(look(`${rest}\r\n.`)).toBe('dotted')
      expect(look(`${rest}\n`)).toBe('odd')
      expect(look(`${rest}\rx`)).toBe('odd')
      expect(look(`\n${rest}`, 13)).toBe('clean')
      expect(look(`\n${rest}`)).toBe('odd')
      expect(look(rest, 13)).toBe('odd')
      expect(look(`.${rest}`)).toBe('dotted')
      expect(look(`.${rest}`, 46)).toBe('clean')
      expect(look(`${rest}\0`)).toBe('odd')
    }
  })

  it('sees it wherever it stands in a long line', () => {
    const length = 700
    const pieces = [
      ['\0', 'odd'],
      ['\n', 'odd'],
      ['\r', 'odd'],
      ['\r\n', 'clean'],
      ['\r\n.', 'dotted'],
      ['\t', 'clean'],
      ['\x0e', 'clean'],
    ] as const
    for (const [piece, expected] of pieces) {
      for (let at = 0; at <= length - piece.length - 1; at++) {
        const octets = Buffer.alloc(length, 'x')
        octets.write(piece, at, 'latin1')
        if (checkLines(octets, 10) !== expected) expect.fail(`${JSON.stringify(piece)} at ${at}`)
      }
    }
  })

  it('notices a line that is too long, over chunk edges and in long chunks', () => {
    const pieces = [Buffer.from('ab'), Buffer.from('cd\r'), Buffer.from('\nxyz\r\n.\r\n')]
    expect(unstuff(pieces, 3).longLine).toBe(true)
    expect(unstuff(pieces, 4).longLine).toBe(false)
    const line = fc.integer({ min: 0, max: 1200 })
    const lengths = fc.array(line, { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(
        lengths,
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 }),
        (all, sizes) => {
          const whole = Buffer.from(`${all.map((length) => `${'x'.repeat(length)}\r\n`).join('')}.\r\n`)
          const longest = Math.max(...all)
          expect(unstuff(chop(whole, sizes), longest).longLine).toBe(false)
          expect(unstuff(chop(whole, sizes), longest - 1).longLine).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('finds whatever is odd in a long text, wherever it stands and however it is cut', () => {
    const proper = `${'x'.repeat(70)}\r\n`.repeat(600)
    const oddities = [
      '\n',
      '\r',
      '\0',
      '\r\n.\n',
      '\r\n.\r',
      '\n.\r\n',
      '\r.\r\n',
      '.\r\n.x',
      '\r\n..\r\n',
      '\r\n.\r\n',
      '.',
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...oddities),
        fc.nat(proper.length),
        fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 3 }),
        (odd, place, sizes) => {
          const whole = `${proper.slice(0, place)}${odd}${proper.slice(place)}.\r\nQUIT\r\n`
          const seen = unstuff(chop(Buffer.from(whole, 'latin1'), sizes))
          expect(seen).toMatchObject(model(whole))
          const data = whole.slice(0, whole.length - seen.rest.length)
          expect(seen.bareLf).toBe(/(^|[^\r])\n/.test(data))
          expect(seen.bareCr).toBe(/\r(?!\n)/.test(data))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('writes what reads back as the same lines, with CRLF for every line end', () => {
    fc.assert(
      fc.property(tricky, fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }), (text, sizes) => {
        const writer = new DotWriter()
        const out: Uint8Array[] = []
        for (const piece of chop(Buffer.from(text, 'latin1'), sizes)) out.push(...writer.write(piece))
        out.push(...writer.end())
        const wire = Buffer.concat(out)
        const read = unstuff([wire])
        const lines = text.replace(/\r\n|\r|\n/g, '\r\n')
        expect(read).toMatchObject({ ended: true, rest: '', bareLf: false, bareCr: false })
        expect(read.body).toBe(lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`)
      }),
      { numRuns: 2000 },
    )
  })

  it('only makes line ends good where there is no stuffing', () => {
    fc.assert(
      fc.property(tricky, fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }), (text, sizes) => {
        const writer = new DotWriter({ stuffed: false })
        const out = chop(Buffer.from(text, 'latin1'), sizes).flatMap((piece) => writer.write(piece))
        const lines = text.replace(/\r\n|\r|\n/g, '\r\n')
        expect(Buffer.concat([...out, ...writer.end()]).toString('latin1')).toBe(
          lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`,
        )
      }),
    )
  })

  it('writes long texts as short ones, with whatever is odd in them', () => {
    const proper = `${'x'.repeat(70)}\r\n`.repeat(500)
    const oddities = ['', '\n', '\r', '\r\n.', '\n.\n', '\r\n..\r\n', '.']
    const size = fc.integer({ min: 1, max: 40_000 })
    fc.assert(
      fc.property(
        fc.constantFrom(...oddities),
        fc.nat(proper.length),
        fc.array(size, { minLength: 1, maxLength: 3 }),
        (odd, place, sizes) => {
          const text = `${proper.slice(0, place)}${odd}${proper.slice(place)}`
          const writer = new DotWriter()
          const out = chop(Buffer.from(text, 'latin1'), sizes).flatMap((piece) => writer.write(piece))
          const read = unstuff([Buffer.concat([...out, ...writer.end()])])
          expect(read).toMatchObject({ ended: true, rest: '', bareLf: false, bareCr: false })
          const lines = text.replace(/\r\n|\r|\n/g, '\r\n')
          expect(read.body).toBe(lines.endsWith('\r\n') ? lines : `${lines}\r\n`)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('does not change or copy a chunk without dots', () => {
    const chunk = Buffer.from('plain\r\ntext\r\n')
    const { body } = new DotReader().read(chunk)
    expect((body as Buffer).buffer).toBe(chunk.buffer)
    fc.assert(
      fc.property(octets, (bytes) => {
        const before = Buffer.from(bytes)
        new DotReader().read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
        expect(Buffer.compare(before, bytes)).toBe(0)
      }),
    )
  })
})

describe('limits', () => {
  const rules = {
    lines: { default: 10, min: 1, max: 100 },
    size: { default: 5, min: 0, max: Number.POSITIVE_INFINITY },
  }

  it('gives defaults and takes what is in range', () => {
    expect(resolveLimits(rules)).toEqual({ lines: 10, size: 5 })
    expect(resolveLimits(rules, { size: Number.POSITIVE_INFINITY })).toEqual({
      lines: 10,
      size: Number.POSITIVE_INFINITY,
    })
  })

  it.each([
    [{ lines: 0 }],
    [{ lines: 101 }],
    [{ lines: 1.5 }],
    [{ lines: Number.NaN }],
    [{ other: 1 }],
    [{ constructor: 1 }],
  ])('refuses %j', (given) => {
    expect(() => resolveLimits(rules, given as never)).toThrow(expect.objectContaining({ code: 'LIMIT' }))
  })
})

it('never lets a terminal escape into the log', () => {
  expect(escapeControls('a\x1b[2J\r\n')).toBe('a\\x1b[2J')
  expect(decodeUtf8(Buffer.from([0xff]))).toBe(null)
})

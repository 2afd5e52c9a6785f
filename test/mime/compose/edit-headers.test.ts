import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HeaderEditor } from '../../../src/mime/index.js'

const block =
  'received: a\r\n\tb\r\nSUBJECT:x  \r\nBcc: z@b.example\r\nno colon here\r\nSubject : y\nX: \xff\r\n\r\n'
const edit = (text = block) => new HeaderEditor(Buffer.from(text, 'latin1'))
const result = (editor: HeaderEditor) => editor.bytes().toString('latin1')

describe('editing a header block', () => {
  it('without a change keeps every octet', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 200 }),
          fc
            .array(fc.constantFrom('A: b', '\r\n', '\n', ' c', '\t', 'x', '\r'), {
              minLength: 1,
              maxLength: 30,
            })
            .map((parts) => Buffer.from(parts.join(''))),
        ),
        (bytes) => {
          expect(new HeaderEditor(bytes).bytes()).toEqual(Buffer.from(bytes))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('puts fields on top', () => {
    const field = 'DKIM-Signature: v=1;\r\n\tb=abc\r\n'
    const editor = edit()
      .prepend('Authentication-Results', 'mx.example; spf=pass')
      .prependField(Buffer.from(field))
    expect(result(editor)).toBe(`${field}Authentication-Results: mx.example; spf=pass\r\n${block}`)
  })

  it('folds what it writes', () => {
    const value = Array.from({ length: 30 }, (_, index) => `part${index};`).join(' ')
    const lines = result(edit('\r\n').prepend('Received', value)).split('\r\n')
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.every((line) => line.length <= 78)).toBe(true)
  })

  it('takes fields out', () => {
    expect(result(edit().remove('bcc'))).toBe(block.replace('Bcc: z@b.example\r\n', ''))
    const without = block.replace('SUBJECT:x  \r\n', '').replace('Subject : y\n', '')
    expect(result(edit().remove('subject'))).toBe(without)
    expect(result(edit().remove('subject', (value) => value === 'y'))).toBe(
      block.replace('Subject : y\n', ''),
    )
    expect(result(edit().remove(''))).toBe(block)
  })

  it('replaces the first of a name and takes out the others', () => {
    const expected = block.replace('SUBJECT:x  \r\n', 'Subject: new\r\n').replace('Subject : y\n', '')
    expect(result(edit().replace('Subject', 'new'))).toBe(expected)
    expect(result(edit().replace('X-New', 'a'))).toBe(block.replace(/\r\n$/, 'X-New: a\r\n\r\n'))
  })

  it('works on a block without an end, and on none', () => {
    expect(result(edit('A: b').append('C', 'd'))).toBe('A: b\r\nC: d\r\n')
    expect(result(edit('').prepend('A', 'b'))).toBe('A: b\r\n\r\n')
    expect(result(edit('A: b').prepend('C', 'd'))).toBe('C: d\r\nA: b')
  })

  it.each([
    ['A: b'],
    ['A: b\n'],
    ['A: b\r\nC: d\r\n'],
    ['A: b\r\n\r\n'],
    ['A: b\r\n \r\n'],
    [' A: b\r\n'],
    ['A b\r\n'],
    ['A: \0\r\n'],
    ['A: b\rc\r\n'],
    [''],
  ])('refuses %j as a field', (field) => {
    const error = expect.objectContaining({ name: 'UsageError', code: 'HEADER_FIELD' })
    expect(() => edit().prependField(Buffer.from(field))).toThrow(error)
  })

  it('refuses values that would end the field', () => {
    expect(() => edit().prepend('A', 'b\r\n\r\nbody')).toThrow(
      expect.objectContaining({ code: 'HEADER_VALUE' }),
    )
    expect(() => edit().replace('Subject', 'b\nc')).toThrow(expect.objectContaining({ code: 'HEADER_VALUE' }))
  })

  it('takes linear time', () => {
    const many = Buffer.from(`${'A: b\r\n'.repeat(200_000)}${' \r\n'.repeat(200_000)}\r\n`)
    const start = performance.now()
    new HeaderEditor(many).prepend('X', 'y').remove('a').replace('b', 'c').bytes()
    const folded = `A: b${'\r\n c'.repeat(200_000)}\r\n`
    new HeaderEditor(Buffer.from('\r\n')).prependField(Buffer.from(folded))
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

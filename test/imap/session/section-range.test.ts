import { describe, expect, test } from 'vitest'
import type { Section } from '../../../src/imap/index.js'
import { sectionRange } from '../../../src/imap/session/section-range.js'
import { factsOf } from '../../../src/mime/index.js'
import { messages } from './mail.js'

type Text = 'WHOLE' | 'HEADER' | 'TEXT' | 'MIME'

function read(message: string, part: number[], type: Text): string | null {
  const octets = Buffer.from(message, 'latin1')
  const section: Section = { part, text: { type } }
  const range = sectionRange(factsOf(octets), section)
  return range === null ? null : octets.subarray(range.from, range.to).toString('latin1')
}

const enclosed = 'Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n'

describe('sectionRange', () => {
  test('a message is its header and its text', () => {
    for (const message of messages) {
      expect(read(message, [], 'WHOLE')).toBe(message)
      expect(`${read(message, [], 'HEADER')}${read(message, [], 'TEXT')}`).toBe(message)
    }
  })

  test('part 1 of a message without parts is its text', () => {
    expect(read(messages[3] as string, [1], 'WHOLE')).toBe('x\r\n')
    expect(read(messages[3] as string, [2], 'WHOLE')).toBeNull()
    expect(read(messages[3] as string, [1, 1], 'WHOLE')).toBeNull()
    expect(read(messages[3] as string, [1], 'TEXT')).toBeNull()
  })

  test('a message that is nothing but another', () => {
    expect(read(enclosed, [1], 'WHOLE')).toBe('Subject: inner\r\n\r\ninner text\r\n')
    expect(read(enclosed, [1], 'HEADER')).toBe('Subject: inner\r\n\r\n')
    expect(read(enclosed, [1], 'TEXT')).toBe('inner text\r\n')
    expect(read(enclosed, [1, 1], 'WHOLE')).toBe('inner text\r\n')
    expect(read(enclosed, [1, 1], 'MIME')).toBe('Subject: inner\r\n\r\n')
    expect(read(enclosed, [1, 2], 'WHOLE')).toBeNull()
  })

  test('a multipart in a message in a multipart', () => {
    const message = messages[1] as string
    expect(read(message, [2, 2], 'WHOLE')).toBe('<p>second inner part</p>')
    expect(read(message, [2, 3], 'WHOLE')).toBeNull()
    expect(read(message, [3], 'WHOLE')).toBe('bm90IHRleHQ=')
    expect(read(message, [2], 'WHOLE')?.startsWith('From: dan@')).toBe(true)
    expect(read(message, Array(500).fill(1), 'WHOLE')).toBeNull()
  })
})

import { describe, expect, test } from 'vitest'
import { formatDate, parseDate } from '../../src/mime/index.js'

const iso = (text: string): string | null => {
  const date = parseDate(text)
  return date === null ? null : `${new Date(date.ms).toISOString().slice(0, 19)} ${date.offsetMinutes}`
}

test.each([
  ['Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06 -360'],
  ['Tue, 1 Jul 2003 10:52:37 +0200', '2003-07-01T08:52:37 120'],
  ['Thu, 13 Feb 1969 23:32:54 -0330', '1969-02-14T03:02:54 -210'],
  [
    'Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)',
    '1969-02-14T03:02:00 -210',
  ],
  ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06 0'],
  ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06 -360'],
  ['1 Jan 49 00:00 EST', '2049-01-01T05:00:00 -300'],
  ['1 Jan 50 00:00 PDT', '1950-01-01T07:00:00 -420'],
  ['1 Jan 099 00:00 Z', '1999-01-01T00:00:00 0'],
  ['Mon, 1 Jan 2024 00:00:00 -0000', '2024-01-01T00:00:00 0'],
  ['1 January 2024 10:00:00.5 +0100', '2024-01-01T09:00:00 60'],
  ['1-Jan-2024 10:00:00 +0100', '2024-01-01T09:00:00 60'],
  ['Fri Nov 21 09:55:06 1997', '1997-11-21T09:55:06 0'],
  ['31 Dec 2016 23:59:60 +0000', '2017-01-01T00:00:00 0'],
  ['29 Feb 2024 00:00 +0000', '2024-02-29T00:00:00 0'],
  ['Tue, 2 Jan 2024 3.04.05 +01:00', '2024-01-02T02:04:05 60'],
  ['Tue, 02 Jan 2024 03:04:05 GMT-0530', '2024-01-02T08:34:05 -330'],
  ['Tue Jan 02 2024 03:04:05 GMT+0100 (CET)', '2024-01-02T02:04:05 60'],
  ['Jan 2, 2024 3:04:05 PM', '2024-01-02T15:04:05 0'],
  ['2 Jan 2024 12:04 a.m. EST', '2024-01-02T05:04:00 -300'],
  ['2024-01-02T03:04:05.678Z', '2024-01-02T03:04:05 0'],
  ['2024-01-02 03:04:05-08:00', '2024-01-02T11:04:05 -480'],
])('%j', (text, expected) => expect(iso(text)).toBe(expected))

test.each([
  '',
  'yesterday',
  '32 Jan 2024 00:00',
  '0 Jan 2024 00:00',
  '1 Foo 2024 00:00',
  '30 Feb 2024 00:00',
  '1 Jan 2024 24:00',
  '2024-13-02T03:04:05Z',
  `${' '.repeat(400)}1 Jan 2024 00:00`,
])('%j is none', (text) => expect(parseDate(text)).toBeNull())

describe('formatDate', () => {
  test.each([
    [880_127_706_000, -360, 'Fri, 21 Nov 1997 09:55:06 -0600'],
    [0, 0, 'Thu, 1 Jan 1970 00:00:00 +0000'],
    [0, 345, 'Thu, 1 Jan 1970 05:45:00 +0545'],
  ])('%d %d', (ms, offset, expected) => {
    expect(formatDate(ms, offset)).toBe(expected)
    expect(parseDate(expected)).toEqual({ ms, offsetMinutes: offset })
  })
})

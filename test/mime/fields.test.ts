import { describe, expect, test } from 'vitest'
import {
  Headers,
  judgeAddress,
  listFieldsOf,
  parseAuthenticationResults,
  parseDeliveryStatus,
  parseDispositionNotification,
  parseListUrls,
  parseMessageIds,
  parseReceived,
  threadReferencesOf,
} from '../../src/mime/index.js'
import { bytes, lines } from './samples.js'

test.each([
  ['<a@b>', ['a@b']],
  ['<a@b> (comment) <c@d>', ['a@b', 'c@d']],
  ['<a b\r\n @c>', ['ab@c']],
  ['<<a@b>', ['a@b']],
  ['<a@b', []],
  ['a@b c@d', ['a@b', 'c@d']],
  ['Your message of Monday', []],
  ['', []],
])('message identifiers of %j', (value, ids) => expect(parseMessageIds(value)).toEqual(ids))

test('what a message answers (RFC 5256)', () => {
  const of = (...fields: string[]): readonly string[] => threadReferencesOf(new Headers(lines(...fields)))
  expect(of('References: <a@b> <c@d> <a@b>', 'In-Reply-To: <e@f>')).toEqual(['a@b', 'c@d'])
  expect(of('References: none', 'In-Reply-To: <e@f> <g@h>')).toEqual(['e@f'])
  expect(of('Subject: x')).toEqual([])
})

describe('Received', () => {
  test('as servers write it', () => {
    const received = parseReceived(
      'from client.example (mail.example [192.0.2.1]) by mx.example (Postfix) with ESMTPS id 4F00 for <a@b>; Fri, 21 Nov 1997 09:55:06 -0600',
    )
    expect(received).toEqual({
      from: 'client.example',
      fromComment: 'mail.example [192.0.2.1]',
      by: 'mx.example',
      via: null,
      with: 'ESMTPS',
      id: '4F00',
      for: 'a@b',
      date: { ms: Date.UTC(1997, 10, 21, 15, 55, 6), offsetMinutes: -360 },
    })
  })

  test('in another order, with words between, without a date', () => {
    const { from, by, date, id } = parseReceived('by x (a;b) from from.example extra id with')
    expect([from, by, date, id]).toEqual(['from.example', 'x', null, 'with'])
    const nameless = parseReceived('from ([192.0.2.1]) by mx.example, with SMTP id 1')
    expect([nameless.from, nameless.fromComment, nameless.by, nameless.with]).toEqual([
      null,
      '[192.0.2.1]',
      'mx.example',
      'SMTP',
    ])
    expect(parseReceived('(qmail 123 invoked); 1 Jan 2020 00:00:00 +0000').date?.ms).toBe(
      Date.UTC(2020, 0, 1),
    )
  })
})

test('list fields', () => {
  const list = listFieldsOf(
    new Headers(
      lines(
        'List-Id: "A =?utf-8?q?l=C3=AFst?=" <list.example.com>',
        'List-Unsubscribe: (use mail) <mailto:u@l>, <https://l.example/u?\r\n a=b>',
        'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
        'List-Post: NO (closed)',
      ),
    ),
  )
  expect(list).toMatchObject({
    id: 'list.example.com',
    name: 'A lïst',
    unsubscribe: ['mailto:u@l', 'https://l.example/u?a=b'],
    oneClick: true,
    post: [],
    closed: true,
    help: [],
  })
  expect(parseListUrls('<a')).toEqual([])
})

describe('Authentication-Results', () => {
  test('of RFC 8601 appendix B', () => {
    const parsed = parseAuthenticationResults(
      'example.com 1; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom="a@b;c"; dkim=fail reason="bad ; signature" header.i=@d header.b=ab+/c==',
    )
    expect(parsed).toEqual({
      server: 'example.com',
      version: '1',
      results: [
        { method: 'auth', result: 'pass', reason: null, properties: [['smtp.auth', 'sender@example.net']] },
        { method: 'spf', result: 'pass', reason: null, properties: [['smtp.mailfrom', 'a@b;c']] },
        {
          method: 'dkim',
          result: 'fail',
          reason: 'bad ; signature',
          properties: [
            ['header.i', '@d'],
            ['header.b', 'ab+/c=='],
          ],
        },
      ],
    })
  })

  test('without results, without a server, with a method version', () => {
    expect(parseAuthenticationResults('example.org; none')).toEqual({
      server: 'example.org',
      version: null,
      results: [],
    })
    expect(parseAuthenticationResults('spf=pass; DKIM/1=FAIL').results.map(({ method }) => method)).toEqual([
      'spf',
      'dkim',
    ])
  })
})

test('a delivery status (RFC 3464)', () => {
  const status = parseDeliveryStatus(
    bytes(
      lines(
        'Reporting-MTA: dns; mx.example (a comment)',
        'Arrival-Date: Fri, 21 Nov 1997 09:55:06 -0600',
        '',
        'Original-Recipient: rfc822;A@b.example',
        'Final-Recipient: rfc822; a@b.example',
        'Action: Failed',
        'Status: 5.1.1 (no such user)',
        'Remote-MTA: dns; other.example',
        'Diagnostic-Code: smtp; 550 5.1.1 <a@b.example>\r\n unknown',
        '',
        '',
        'Final-Recipient: utf-8; \xc3\xa9@b.example',
        'Action: delayed',
        'Status: 4.4.7',
        'Will-Retry-Until: Sat, 22 Nov 1997 09:55:06 -0600',
      ),
    ),
  )
  expect(status.reportingMta).toEqual({ type: 'dns', value: 'mx.example (a comment)' })
  expect(status.arrivalDate?.ms).toBe(Date.UTC(1997, 10, 21, 15, 55, 6))
  expect(status.recipients).toHaveLength(2)
  expect(status.recipients[0]).toMatchObject({
    originalRecipient: { type: 'rfc822', value: 'A@b.example' },
    finalRecipient: { type: 'rfc822', value: 'a@b.example' },
    action: 'failed',
    status: '5.1.1',
    remoteMta: { type: 'dns', value: 'other.example' },
    diagnosticCode: { type: 'smtp', value: '550 5.1.1 <a@b.example> unknown' },
    lastAttemptDate: null,
  })
  expect(status.recipients[1]).toMatchObject({
    finalRecipient: { type: 'utf-8', value: 'é@b.example' },
    willRetryUntil: { offsetMinutes: -360 },
  })
  expect(parseDeliveryStatus(bytes('Final-Recipient: rfc822; a@b\n')).recipients).toHaveLength(1)
  expect(parseDeliveryStatus(bytes('')).recipients).toEqual([])
})

test('a disposition notification (RFC 8098)', () => {
  const notification = parseDispositionNotification(
    bytes(
      lines(
        'Reporting-UA: host; a program',
        'Final-Recipient: rfc822;a@b',
        'Original-Message-ID: <1@c>',
        'Disposition: manual-action/MDN-sent-manually; displayed/error,x',
        'Error: why',
      ),
    ),
  )
  expect(notification).toMatchObject({
    reportingUa: 'host; a program',
    finalRecipient: { type: 'rfc822', value: 'a@b' },
    originalMessageId: '1@c',
    disposition: {
      actionMode: 'manual-action',
      sendingMode: 'mdn-sent-manually',
      type: 'displayed',
      modifiers: ['error', 'x'],
    },
    error: ['why'],
  })
  expect(parseDispositionNotification(bytes('')).disposition).toBeNull()
})

test.each([
  ['a@b.example', 'smtp'],
  ['"a b"@b.example', 'smtp'],
  ['a@[192.0.2.1]', 'smtp'],
  ['a@[IPv6:2001:db8::1]', 'smtp'],
  ['é@bücher.example', 'smtp'],
  ['a(c)@b.example', 'message'],
  ['a."b"@c', 'message'],
  ['a@-b', 'message'],
  [`${'a'.repeat(65)}@b`, 'message'],
  ['a@[tag:x]', 'message'],
  ['a..b@c', 'invalid'],
  ['a@b@c', 'invalid'],
  ['"a@b', 'invalid'],
  ['(a@b', 'invalid'],
  ['a\r\n@b', 'invalid'],
  ['', 'invalid'],
])('%j is judged %s', (address, judgement) => expect(judgeAddress(address)).toBe(judgement))

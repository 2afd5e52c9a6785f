import { Readable } from 'node:stream'
import { describe, expect, it, test } from 'vitest'
import {
  composeDeliveryReport,
  composeDispositionReport,
  composeFeedbackReport,
  type DeliveryReportOptions,
  parseDeliveryStatus,
  parseDispositionNotification,
} from '../../../src/mime/index.js'
import { clock, readParts, shape } from './read.js'

const original = Buffer.from('From: a@b.example\r\nSubject: hello\r\n\r\nbody\r\n')
const base = { from: 'postmaster@mx.example', to: 'a@b.example', subject: 'Report', text: 'See below.' }
const code = (value: string) => expect.objectContaining({ name: 'UsageError', code: value })
const recipient = { finalRecipient: 'z@q.example', action: 'failed', status: '5.1.1' } as const
const delivery = (more: Partial<DeliveryReportOptions> = {}) =>
  composeDeliveryReport({ ...base, reportingMta: 'mx.example', recipients: [recipient], original, ...more })
const machine = (message: { bytesSync(): Buffer }) => {
  const bytes = message.bytesSync().toString()
  const [, part = ''] = bytes.split(/\r\n--=_[0-9a-f_.]+\r\n/).slice(1)
  return part.slice(part.indexOf('\r\n\r\n') + 4)
}

describe('delivery status notification (RFC 3464)', () => {
  it('tells of every recipient', () => {
    const message = composeDeliveryReport({
      ...base,
      reportingMta: 'mx.example',
      originalEnvelopeId: 'QQ314159',
      receivedFromMta: 'dns; client.example',
      arrivalDate: clock.now(),
      recipients: [
        {
          finalRecipient: 'z@q.example',
          originalRecipient: 'rfc822;Z@q.example',
          action: 'failed',
          status: '5.1.1',
          remoteMta: 'mx.q.example',
          diagnosticCode: '550 5.1.1 no such user; sorry',
          lastAttemptDate: clock.now(),
          finalLogId: 'abc',
        },
        { finalRecipient: 'y@q.example', action: 'delayed', status: '4.4.1', willRetryUntil: clock.now() },
      ],
      original,
    })
    expect(shape(message.bytesSync())).toBe(
      'multipart/report(text/plain message/delivery-status message/rfc822(text/plain))',
    )
    expect(machine(message)).toBe(
      [
        'Original-Envelope-Id: QQ314159',
        'Reporting-MTA: dns; mx.example',
        'Received-From-MTA: dns; client.example',
        'Arrival-Date: Fri, 2 Jan 2026 03:04:05 +0000',
        '',
        'Original-Recipient: rfc822;Z@q.example',
        'Final-Recipient: rfc822; z@q.example',
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mx.q.example',
        'Diagnostic-Code: smtp; 550 5.1.1 no such user; sorry',
        'Last-Attempt-Date: Fri, 2 Jan 2026 03:04:05 +0000',
        'Final-Log-ID: abc',
        '',
        'Final-Recipient: rfc822; y@q.example',
        'Action: delayed',
        'Status: 4.4.1',
        'Will-Retry-Until: Fri, 2 Jan 2026 03:04:05 +0000',
        '',
      ].join('\r\n'),
    )
    const [root] = readParts(message.bytesSync())
    expect(root?.part.contentType.parameters).toContainEqual(['report-type', 'delivery-status'])
    expect(root?.part.headers.get('auto-submitted')).toBe('auto-replied')
    expect(message.envelope).toEqual({ from: '', to: ['a@b.example'] })
  })

  const whole = 'message/rfc822(text/plain)'
  test.each<[string, Partial<DeliveryReportOptions>, string]>([
    ['whole', {}, whole],
    ['as its header', { headersOnly: true }, 'text/rfc822-headers'],
    ['as its header, when it holds NUL', { original: Buffer.from('a: b\r\n\r\n\0') }, 'text/rfc822-headers'],
    [
      'as its header, when a line is too long',
      { original: Buffer.from(`a: b\n\n${'x'.repeat(999)}`) },
      'text/rfc822-headers',
    ],
    ['in UTF-8', { original: Buffer.from('Subject: ü\r\n\r\nb') }, 'message/global(text/plain)'],
    [
      'as its header in UTF-8',
      { original: Buffer.from('Subject: ü\r\n\r\nb'), headersOnly: true },
      'message/global-headers',
    ],
  ])('returns the message %s', (_name, more, expected) => {
    expect(shape(delivery(more).bytesSync())).toBe(
      `multipart/report(text/plain message/delivery-status ${expected})`,
    )
  })

  it('returns a stream', async () => {
    const message = delivery({ original: Readable.from([original]) })
    expect(message.bodyType).toBe('8BITMIME')
    expect(
      readParts(await message.bytes())
        .at(-1)
        ?.body.toString(),
    ).toBe('body\r\n')
    expect(() => delivery({ original: Readable.from([original]), headersOnly: true })).toThrow(
      code('CONTENT'),
    )
  })

  it('keeps the octets of an 8-bit message', () => {
    const message = delivery({ original: Buffer.from('a: b\r\n\r\n\xff\r\n', 'latin1') })
    expect(message.bodyType).toBe('8BITMIME')
    expect(readParts(message.bytesSync()).at(-1)?.body).toEqual(Buffer.from('\xff\r\n', 'latin1'))
  })

  it('writes addresses in UTF-8 with the types of RFC 6533', () => {
    const message = delivery({
      recipients: [{ ...recipient, finalRecipient: 'jörg@bücher.example' }],
      original: undefined,
    })
    expect(shape(message.bytesSync())).toBe('multipart/report(text/plain message/global-delivery-status)')
    const [, , status] = readParts(message.bytesSync())
    expect(status?.body.toString()).toContain('Final-Recipient: utf-8; jörg@bücher.example\r\n')
    expect(message.bodyType).toBe('7BIT')
  })

  test.each<[string, string, Partial<DeliveryReportOptions>]>([
    ['no recipient', 'OPTION', { recipients: [] }],
    ['an unknown action', 'OPTION', { recipients: [{ ...recipient, action: 'lost' as 'failed' }] }],
    ['a wrong status', 'OPTION', { recipients: [{ ...recipient, status: '5.1' }] }],
    ['an injected line', 'HEADER_VALUE', { recipients: [{ ...recipient, diagnosticCode: '550 a\r\nb' }] }],
    [
      'an injected address',
      'HEADER_VALUE',
      { recipients: [{ ...recipient, finalRecipient: 'a@b\r\nX: y' }] },
    ],
    ['an unknown option', 'OPTION', { other: 1 } as object],
  ])('refuses %s', (_name, expected, more) => expect(() => delivery(more)).toThrow(code(expected)))

  it('is 7bit whatever the answer of the other host', () => {
    const message = delivery({
      recipients: [{ ...recipient, diagnosticCode: `550 ${'x'.repeat(2_000)} ü \u2028` }],
    })
    expect(message.bytesSync().toString('latin1')).toMatch(/^[\x01-\x7f]*$/)
    expect(
      Math.max(
        ...message
          .bytesSync()
          .toString()
          .split('\r\n')
          .map((line) => line.length),
      ),
    ).toBeLessThan(79)
  })
})

describe('message disposition notification (RFC 8098)', () => {
  const disposition = { type: 'displayed', manualAction: true, sentManually: true } as const
  it('tells what was done', () => {
    const message = composeDispositionReport({
      ...base,
      reportingUa: 'host.example; Mailwright',
      originalRecipient: 'rfc822;A@b.example',
      finalRecipient: 'a@b.example',
      originalMessageId: 'x@y.example',
      disposition: { ...disposition, modifiers: ['error'] },
      errors: ['could not be shown'],
      original,
      headersOnly: true,
    })
    expect(shape(message.bytesSync())).toBe(
      'multipart/report(text/plain message/disposition-notification text/rfc822-headers)',
    )
    expect(machine(message)).toBe(
      [
        'Reporting-UA: host.example; Mailwright',
        'Original-Recipient: rfc822;A@b.example',
        'Final-Recipient: rfc822; a@b.example',
        'Original-Message-ID: <x@y.example>',
        'Disposition: manual-action/MDN-sent-manually; displayed/error',
        'Error: could not be shown',
        '',
      ].join('\r\n'),
    )
    expect(message.envelope.from).toBe('')
  })

  it('refuses what is no disposition', () => {
    const report = { ...base, finalRecipient: 'a@b.example' }
    const type = 'burnt' as 'displayed'
    expect(() => composeDispositionReport({ ...report, disposition: { ...disposition, type } })).toThrow(
      code('OPTION'),
    )
    const modifiers = ['a b']
    expect(() => composeDispositionReport({ ...report, disposition: { ...disposition, modifiers } })).toThrow(
      code('HEADER_VALUE'),
    )
  })
})

describe('feedback report (RFC 5965)', () => {
  const feedback = { ...base, feedbackType: 'abuse', userAgent: 'Mailwright/1' }
  it('tells of the message', () => {
    const message = composeFeedbackReport({
      ...feedback,
      originalMailFrom: '',
      originalRcptTo: ['u@b.example', '<v@b.example>'],
      arrivalDate: clock.now(),
      sourceIp: '192.0.2.1',
      incidents: 3,
      authenticationResults: ['mx.example; spf=pass'],
      reportedDomain: ['b.example'],
      reportedUri: ['https://b.example/'],
      original,
    })
    expect(shape(message.bytesSync())).toBe(
      'multipart/report(text/plain message/feedback-report message/rfc822(text/plain))',
    )
    expect(machine(message)).toBe(
      [
        'Feedback-Type: abuse',
        'User-Agent: Mailwright/1',
        'Version: 1',
        'Original-Mail-From: <>',
        'Arrival-Date: Fri, 2 Jan 2026 03:04:05 +0000',
        'Source-IP: 192.0.2.1',
        'Incidents: 3',
        'Authentication-Results: mx.example; spf=pass',
        'Original-Rcpt-To: <u@b.example>',
        'Original-Rcpt-To: <v@b.example>',
        'Reported-Domain: b.example',
        'Reported-URI: https://b.example/',
        '',
      ].join('\r\n'),
    )
    expect(message.envelope.from).toBe('postmaster@mx.example')
  })

  it('needs the message, and whole numbers', () => {
    expect(() => composeFeedbackReport(feedback)).toThrow(code('OPTION'))
    expect(() => composeFeedbackReport({ ...feedback, original, incidents: 0.5 })).toThrow(code('OPTION'))
  })
})

describe('reports are read back', () => {
  it('of delivery', () => {
    const diagnosticCode = 'smtp; 550 5.1.1 no such user; sorry'
    const message = delivery({
      arrivalDate: clock.now(),
      recipients: [
        { ...recipient, diagnosticCode },
        { ...recipient, action: 'delayed', status: '4.4.1' },
      ],
    })
    const body = readParts(message.bytesSync()).find(({ type }) => type === 'message/delivery-status')?.body
    const read = parseDeliveryStatus(body ?? Buffer.alloc(0))
    expect(read.reportingMta).toEqual({ type: 'dns', value: 'mx.example' })
    expect(read.arrivalDate?.ms).toBe(clock.now())
    expect(read.recipients.map(({ action, status }) => [action, status])).toEqual([
      ['failed', '5.1.1'],
      ['delayed', '4.4.1'],
    ])
    expect(read.recipients[0]?.finalRecipient).toEqual({ type: 'rfc822', value: 'z@q.example' })
    expect(read.recipients[0]?.diagnosticCode?.value).toBe('550 5.1.1 no such user; sorry')
  })

  it('of disposition', () => {
    const message = composeDispositionReport({
      ...base,
      finalRecipient: 'a@b.example',
      originalMessageId: '<x@y.example>',
      disposition: { type: 'deleted', manualAction: false, sentManually: false, modifiers: ['error'] },
      errors: ['one', 'two'],
    })
    const body = readParts(message.bytesSync()).find(({ type }) => type.endsWith('-notification'))?.body
    const read = parseDispositionNotification(body ?? Buffer.alloc(0))
    expect(read.finalRecipient).toEqual({ type: 'rfc822', value: 'a@b.example' })
    expect(read.originalMessageId?.replace(/[<>]/g, '')).toBe('x@y.example')
    expect(read.disposition).toEqual({
      actionMode: 'automatic-action',
      sendingMode: 'mdn-sent-automatically',
      type: 'deleted',
      modifiers: ['error'],
    })
    expect(read.error).toEqual(['one', 'two'])
  })
})

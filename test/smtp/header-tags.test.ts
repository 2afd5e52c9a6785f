import { describe, expect, it } from 'vitest'
import type { EnvelopeStart, MessageTags } from '../../src/interfaces/index.js'
import { simpleDelivery } from '../../src/smtp/index.js'
import { HeaderTags } from '../../src/smtp/session/header-tags.js'
import { runScript } from '../../src/testing/index.js'
import { startServer, TestDelivery } from './harness.js'

const envelope: EnvelopeStart = { reversePath: '', size: null, body: '7BIT', smtpUtf8: false }
const alice = { address: 'alice@example.test', localPart: 'alice', domain: 'example.test' }
const since = Date.UTC(2014, 3, 3, 23, 1)

function tagsOf(header: string, given: Partial<EnvelopeStart> = {}, recipients = [alice]): MessageTags {
  const octets = Buffer.from(header.replaceAll('\n', '\r\n'), 'latin1')
  const read = (size: number): MessageTags => {
    const tags = new HeaderTags()
    for (let at = 0; at < octets.length; at += size) tags.write(octets.subarray(at, at + size))
    return tags.tags({ ...envelope, ...given }, recipients)
  }
  const whole = read(octets.length + 1)
  for (const size of [1, 2, 3, 7, 50]) expect(read(size)).toEqual(whole)
  return whole
}

describe('HeaderTags', () => {
  it('reads TLS-Required, which REQUIRETLS overrules (RFC 8689 section 4.1)', () => {
    for (const header of ['TLS-Required: No\n\n', 'A: b\ntls-required:\n no \n\nbody', 'TLS-Required:No']) {
      expect(tagsOf(header).tlsOptional, header).toBe(true)
      expect(tagsOf(header, { requireTls: true }).tlsOptional).toBe(false)
    }
    for (const header of [
      '',
      'TLS-Required: Yes\n\n',
      'X-TLS-Required: No\n\n',
      'A: b\n\nTLS-Required: No\n',
      'no field\nTLS-Required: No\n\n',
      `TLS-Required: No${' '.repeat(3000)}\n\n`,
    ]) {
      expect(tagsOf(header).tlsOptional, header.slice(0, 50)).toBe(false)
    }
  })

  it('reads Solicitation where MAIL said nothing of it (RFC 3865 section 2.7)', () => {
    const header =
      'Solicitation: net.example:ADV,\n org.example:ADV:ADLT\nSolicitation: a , net.example:ADV\n\n'
    expect(tagsOf(header).solicitation).toEqual(['net.example:ADV', 'org.example:ADV:ADLT', 'a'])
    expect(tagsOf(header, { solicitation: ['b'] }).solicitation).toEqual(['b'])
    for (const wrong of ['', ',', 'a,,b', 'a b', 'ü']) {
      expect(tagsOf(`Solicitation: ${wrong}\n\n`).solicitation, wrong).toEqual([])
    }
  })

  it('reads Require-Recipient-Valid-Since of recipients whose RCPT said nothing of it (RFC 7293)', () => {
    const field = (value: string): string => `Require-Recipient-Valid-Since: ${value}\n\n`
    const header = field('alice@EXAMPLE.test;\n Thu, 3 Apr 2014 23:01:00 +0000')
    expect(tagsOf(header).validSince).toEqual([{ address: 'alice@EXAMPLE.test', since }])
    const told = { ...alice, validSince: { since: 0, otherwise: 'reject' as const } }
    expect(tagsOf(header, {}, [told]).validSince).toEqual([])
    for (const wrong of [
      'bob@example.test; Thu, 3 Apr 2014 23:01:00 +0000',
      'alice@example.test',
      '; x',
      'x; y',
      '',
    ]) {
      expect(tagsOf(field(wrong)).validSince, wrong).toEqual([])
    }
    expect(
      tagsOf('Require-Recipient-Valid-Since: alice@example.test; 3 Apr 2014 23:01 Z\n'.repeat(1100))
        .validSince,
    ).toHaveLength(1000)
  })

  it('tells the delivery, where it takes part in one of the extensions, and Received', async () => {
    const script =
      'S~ 220 .*\nC: HELO c.test\nS~ 250 .*\nC: MAIL FROM:<>\nS~ 250 .*\nC: RCPT TO:<alice@example.test>\nS~ 250 .*\n' +
      'C: DATA\nS~ 354 .*\nC: TLS-Required: No\nC: Solicitation: a,b\nC: \nC: .\nS~ 250 .*\n'
    const expected = { tlsOptional: true, solicitation: ['a', 'b'], validSince: [] }
    for (const [features, tags] of [
      [{}, undefined],
      [{ requireTls: true }, expected],
      [{ rrvs: true }, expected],
      [{ noSoliciting: [] }, expected],
    ] as const) {
      const delivery = new TestDelivery(100_000, features)
      await runScript(script, () => startServer({}, { delivery }))
      expect(delivery.kept[0]?.tags).toEqual(tags)
      expect(delivery.kept[0]?.received.includes('with SMTP\r\n\t(SOLICIT=a,b)\r\n')).toBe(tags !== undefined)
      const seen: (MessageTags | null)[] = []
      const simple = simpleDelivery(async (message) => {
        seen.push(message.tags)
        for await (const _ of message.body);
        seen.push(message.tags)
      }, features)
      await runScript(script, () => startServer({}, { delivery: simple }))
      expect(seen).toEqual([null, tags ?? null])
    }
  })
})

import { describe, expect, it } from 'vitest'
import { checkMtaSts, isMtaStsHost, parseMtaStsPolicy } from '../../src/tls/index.js'
import { makeCertificate } from './certificates.js'

const policy = (...mx: string[]) => ({ mode: 'enforce', mx, maxAge: 86_400 }) as const

describe('parseMtaStsPolicy', () => {
  it('reads a policy', () => {
    const text =
      'version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net  \r\nmx:backup.example.com\nmax_age: 604800\n'
    expect(parseMtaStsPolicy(text)).toEqual({
      mode: 'enforce',
      mx: ['mail.example.com', '*.example.net', 'backup.example.com'],
      maxAge: 604_800,
    })
    expect(parseMtaStsPolicy('version: STSv1\nmode: none\nmax_age: 9999999999')).toEqual({
      mode: 'none',
      mx: [],
      maxAge: 31_557_600,
    })
    expect(
      parseMtaStsPolicy('version: STSv1\nmode: testing\nmode: none\nmx: a.test\nmax_age: 1\nx-new: what'),
    ).toMatchObject({ mode: 'testing' })
  })

  it('takes nothing else', () => {
    for (const text of [
      '',
      'mode: enforce\nmx: a.test\nmax_age: 1',
      'version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 1',
      'version: STSv1\nmode: strict\nmx: a.test\nmax_age: 1',
      'version: STSv1\nmode: enforce\nmax_age: 1',
      'version: STSv1\nmode: enforce\nmx: a.test',
      'version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1',
      'version: STSv1\nmode: enforce\nmx: a.*.test\nmax_age: 1',
      'version: STSv1\nmode: enforce\nmx: *\nmax_age: 1',
      'version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 1\n<html>',
      `version: STSv1\nmode: none\nmax_age: 1\n${'x: y\n'.repeat(20_000)}`,
    ]) {
      expect(parseMtaStsPolicy(text), text.slice(0, 80)).toBeNull()
    }
  })
})

describe('isMtaStsHost', () => {
  it('lets a star stand for one label', () => {
    expect(isMtaStsHost(policy('mail.example.com', '*.example.net'), 'Mail.Example.com.')).toBe(true)
    expect(isMtaStsHost(policy('*.Example.net'), 'a.example.NET')).toBe(true)
    for (const host of ['example.net', 'a.b.example.net', 'aexample.net', 'mail.example.org', 'com', '']) {
      expect(isMtaStsHost(policy('mail.example.com', '*.example.net'), host), host).toBe(false)
    }
  })
})

describe('checkMtaSts', () => {
  it('wants the host in the policy, a certificate that is trusted, and the name among its DNS names', () => {
    const chainOf = (...names: string[]) => [
      makeCertificate({ subject: 'mx.example.test', names }).certificate,
    ]
    const trusted = { trusted: true, problem: null, chain: chainOf('mx.example.test') }
    const mx = policy('*.example.test')
    expect(checkMtaSts(mx, 'mx.example.test', trusted)).toBeNull()
    expect(checkMtaSts(policy('other.test'), 'mx.example.test', trusted)).toMatch(/does not name/)
    expect(
      checkMtaSts(mx, 'mx.example.test', { ...trusted, trusted: false, problem: 'CERT_HAS_EXPIRED' }),
    ).toBe('CERT_HAS_EXPIRED')
    expect(checkMtaSts(mx, 'mx.example.test', { ...trusted, chain: chainOf('*.example.test') })).toBeNull()
    expect(checkMtaSts(mx, 'mx.example.test', { ...trusted, chain: chainOf('b.test') })).toMatch(/is not for/)
    expect(checkMtaSts(mx, 'mx.example.test', { ...trusted, chain: chainOf() })).toMatch(/is not for/)
    expect(checkMtaSts(mx, 'mx.example.test', { ...trusted, chain: [] })).toMatch(/is not for/)
  })
})

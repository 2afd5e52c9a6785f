import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'

const now = new Date('2026-05-01T12:00:00Z')

describe('createDevelopmentCertificate', () => {
  const pair = createDevelopmentCertificate(
    ['mail.example.test', 'localhost', '127.0.0.1', '::1', 'fe80::1:2'],
    now,
  )
  const certificate = new X509Certificate(pair.cert)

  it('is signed by its own key and valid from yesterday', () => {
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(pair.key))).toBe(true)
    expect(new Date(certificate.validFrom).toISOString()).toBe('2026-04-30T12:00:00.000Z')
    expect(new Date(certificate.validTo).toISOString()).toBe('2028-08-03T12:00:00.000Z')
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  })

  it('names every host and address', () => {
    expect(certificate.subject).toBe('CN=mail.example.test')
    expect(certificate.checkHost('mail.example.test')).toBe('mail.example.test')
    expect(certificate.checkHost('localhost')).toBe('localhost')
    expect(certificate.checkHost('other.example.test')).toBeUndefined()
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate.subjectAltName).toBe(
      'DNS:mail.example.test, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:0:1:2',
    )
  })

  it('writes dates from 2050 on as GeneralizedTime', () => {
    const late = new X509Certificate(createDevelopmentCertificate(['a.test'], now, 365 * 30).cert)
    expect(new Date(late.validTo).getUTCFullYear()).toBe(2056)
  })

  it('has a serial of its own each time', () => {
    const other = new X509Certificate(createDevelopmentCertificate(['a.test'], now).cert)
    expect(other.serialNumber).not.toBe(certificate.serialNumber)
    expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  })
})

describe('TlsServerContext', () => {
  const a = createDevelopmentCertificate(['a.test'], now)
  const b = createDevelopmentCertificate(['b.test'], now)

  it('chooses by the name the client asks for, and else the first', () => {
    const contexts = new TlsServerContext({ certificates: [a, b] })
    expect(contexts.contextFor('a.test')).toBe(contexts.contextFor(null))
    expect(contexts.contextFor('c.test')).toBe(contexts.contextFor(null))
    expect(contexts.contextFor('b.test')).not.toBe(contexts.contextFor(null))
  })

  it('takes new certificates, and keeps the old ones when they are bad', () => {
    const contexts = new TlsServerContext({ certificates: [a] })
    const before = contexts.contextFor(null)
    expect(() => contexts.replace({ certificates: [{ cert: a.cert, key: b.key }] })).toThrow(
      expect.objectContaining({ code: 'TLS_CERTIFICATE' }),
    )
    expect(contexts.contextFor(null)).toBe(before)
    contexts.replace({ certificates: [b] })
    expect(contexts.contextFor(null)).not.toBe(before)
  })

  it.each([[[]], [[{ cert: 'nonsense', key: 'nonsense' }]]])('refuses %j', (certificates) => {
    expect(() => new TlsServerContext({ certificates })).toThrow(
      expect.objectContaining({ code: 'TLS_CERTIFICATE' }),
    )
  })
})

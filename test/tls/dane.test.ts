import { createHash, type X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCertificate } from '../../src/tls/certificate-fields.js'
import type { TlsaRecord } from '../../src/tls/index.js'
import { checkDane, createDevelopmentCertificate } from '../../src/tls/index.js'
import { makeCertificate, now, type Wanted } from './certificates.js'

const spki = (certificate: X509Certificate): Buffer =>
  certificate.publicKey.export({ type: 'spki', format: 'der' })

function record(
  usage: number,
  selector: number,
  matchingType: number,
  certificate: X509Certificate,
): TlsaRecord {
  const selected = selector === 0 ? certificate.raw : spki(certificate)
  const hash = ['', 'sha256', 'sha512'][matchingType]
  return {
    usage,
    selector,
    matchingType,
    data: hash ? createHash(hash).update(selected).digest() : selected,
  }
}

const check = (
  chain: readonly X509Certificate[],
  records: readonly TlsaRecord[],
  names = ['mx.example.test'],
) => checkDane(chain, { records, names, now: now.getTime() })

const root = makeCertificate({ subject: 'root', ca: true })
const middle = makeCertificate({ subject: 'middle', ca: true, issuer: root })
const server = makeCertificate({ subject: 'server', names: ['mx.example.test'], issuer: middle })
const chain = [server, middle, root].map(({ certificate }) => certificate)
const stranger = makeCertificate({ subject: 'stranger', ca: true })
const forms = [0, 1].flatMap((selector) => [0, 1, 2].map((type) => [selector, type] as const))

/** The outcome with a record for the root, where one certificate of the chain is another. */
function withRoot(changes: { root?: Partial<Wanted>; middle?: Partial<Wanted>; server?: Partial<Wanted> }) {
  const top = makeCertificate({ subject: 'root', ca: true, ...changes.root })
  const between = makeCertificate({ subject: 'middle', ca: true, issuer: top, ...changes.middle })
  const last = makeCertificate({
    subject: 'server',
    names: ['mx.example.test'],
    issuer: between,
    ...changes.server,
  })
  const certificates = [last, between, top].map(({ certificate }) => certificate)
  return check(certificates, [record(2, 0, 1, top.certificate)])
}

describe('checkDane', () => {
  it('finds the server by each selector and matching type of DANE-EE', () => {
    for (const [selector, type] of forms) {
      expect(check(chain, [record(3, selector, type, server.certificate)])).toBe('authenticated')
      expect(check(chain, [record(3, selector, type, middle.certificate)])).toBe('mismatch')
      expect(check(chain, [record(3, selector, type, stranger.certificate)])).toBe('mismatch')
    }
  })

  it('minds neither name nor date nor authority with DANE-EE', () => {
    const old = makeCertificate({
      subject: 'other',
      names: ['other.test'],
      from: new Date('2001-01-01'),
      to: new Date('2002-01-01'),
      usage: '1.3.6.1.5.5.7.3.4',
      strange: true,
    })
    expect(check([old.certificate], [record(3, 1, 1, old.certificate)], [])).toBe('authenticated')
  })

  it('finds an authority of the chain by each form of DANE-TA', () => {
    for (const [selector, type] of forms) {
      for (const authority of [middle, root]) {
        const records = [record(2, selector, type, authority.certificate)]
        expect(check(chain, records)).toBe('authenticated')
        expect(check(chain, records, ['example.test', 'MX.example.test'])).toBe('authenticated')
        expect(check(chain, records, ['other.test'])).toBe('mismatch')
        expect(check(chain, records, [])).toBe('mismatch')
      }
      expect(check(chain, [record(2, selector, type, stranger.certificate)])).toBe('mismatch')
      expect(check(chain, [record(2, selector, type, server.certificate)])).toBe('mismatch')
    }
  })

  it('takes an authority that only the record holds, and no digest of one', () => {
    for (const [selector, type] of forms) {
      const expected = type === 0 ? 'authenticated' : 'mismatch'
      expect(check(chain.slice(0, 2), [record(2, selector, type, root.certificate)])).toBe(expected)
      expect(check(chain.slice(0, 1), [record(2, selector, type, middle.certificate)])).toBe(expected)
    }
    expect(check(chain.slice(0, 1), [record(2, 0, 0, root.certificate)])).toBe('mismatch')
    expect(check(chain, [{ usage: 2, selector: 1, matchingType: 0, data: Buffer.from('no key') }])).toBe(
      'mismatch',
    )
  })

  it('checks the whole path of DANE-TA', () => {
    const past = { from: new Date('2001-01-01'), to: new Date('2002-01-01') }
    const future = { from: new Date('2030-01-01'), to: new Date('2031-01-01') }
    expect(withRoot({})).toBe('authenticated')
    expect(withRoot({ root: { pathLength: 1 }, server: { usage: '1.3.6.1.5.5.7.3.1' } })).toBe(
      'authenticated',
    )
    for (const changes of [
      { server: past },
      { middle: past },
      { root: past },
      { server: future },
      { middle: { ca: false } },
      { middle: { certSign: false } },
      { root: { ca: false } },
      { root: { pathLength: 0 } },
      { server: { usage: '1.3.6.1.5.5.7.3.4' } },
      { server: { strange: true } },
      { middle: { strange: true } },
      { server: { issuer: stranger } },
      { middle: { issuer: stranger } },
      { server: { names: [] } },
      { server: { names: ['mx.other.test'] } },
    ]) {
      expect(withRoot(changes), JSON.stringify(changes)).toBe('mismatch')
    }
    // the name of the authority, and not its key
    const forged = makeCertificate({ subject: 'middle', ca: true, issuer: stranger })
    const false1 = makeCertificate({ subject: 's', names: ['mx.example.test'], issuer: forged })
    const mixed = [false1.certificate, middle.certificate, root.certificate]
    expect(check(mixed, [record(2, 0, 1, root.certificate)])).toBe('mismatch')
  })

  it('passes over records that SMTP cannot use, and says so where there are no others', () => {
    const good = record(3, 1, 1, server.certificate)
    const unusable: readonly TlsaRecord[] = [
      record(0, 0, 1, root.certificate),
      record(1, 1, 1, server.certificate),
      record(255, 1, 1, server.certificate),
      { ...good, selector: 2 },
      { ...good, matchingType: 3 },
      { ...good, data: good.data.subarray(1) },
      { ...good, matchingType: 2 },
      { ...good, matchingType: 0, data: Buffer.alloc(0) },
    ]
    expect(check(chain, unusable)).toBe('unusable')
    expect(check(chain, [])).toBe('unusable')
    expect(check(chain, [...unusable, good])).toBe('authenticated')
    expect(check(chain, [...unusable, record(3, 1, 1, middle.certificate)])).toBe('mismatch')
    expect(check([], [good])).toBe('mismatch')
  })

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 3 }),
        fc.integer({ min: 0, max: 1 }),
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        (usage, selector, data) => {
          expect(check(chain, [{ usage, selector, matchingType: 0, data }])).toBe('mismatch')
          readCertificate(data)
          readCertificate(Buffer.concat([Buffer.from([0x30, 0x82, 1, 0]), data]))
        },
      ),
    )
  })
})

describe('readCertificate', () => {
  it('finds the public key as it stands', () => {
    const own = createDevelopmentCertificate(['a.test'], now)
    for (const certificate of [server.certificate, makeCertificate({ subject: 'x' }).certificate]) {
      expect(readCertificate(certificate.raw)?.publicKeyInfo).toEqual(spki(certificate))
    }
    expect(readCertificate(Buffer.from(own.cert))).toBeNull()
    const { raw } = server.certificate
    for (let cut = 0; cut < raw.length; cut++) readCertificate(raw.subarray(0, cut))
  })
})

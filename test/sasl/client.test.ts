import { describe, expect, it } from 'vitest'
import {
  clientMechanisms,
  LoginClient,
  PlainClient,
  ScramSha256Client,
  XOAuth2Client,
} from '../../src/sasl/index.js'

const text = (octets: Uint8Array | null): string | null =>
  octets === null ? null : Buffer.from(octets).toString('utf8')

describe('SCRAM-SHA-256', () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO'
  const serverNonce = `${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`
  const first = `r=${serverNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`

  it('says what the example of RFC 7677 section 3 says, and believes the server then', () => {
    const client = new ScramSha256Client('user', 'pencil', '', nonce)
    expect(text(client.start())).toBe(`n,,n=user,r=${nonce}`)
    expect(text(client.respond(Buffer.from(first)))).toBe(
      `c=biws,r=${serverNonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    )
    expect(client.satisfied).toBe(false)
    expect(text(client.respond(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')))).toBe('')
    expect(client.satisfied).toBe(true)
  })

  it('gives up on a server that does not prove itself or asks for too much or too little', () => {
    for (const challenge of [
      first.replace(nonce, 'other'),
      `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
      first.replace('4096', '4095'),
      first.replace('4096', '1000001'),
      first.replace('4096', '99999999'),
      first.replace('s=W22', 's=!'),
      'e=unknown-user',
      '\xff',
    ]) {
      expect(
        new ScramSha256Client('user', 'pencil', '', nonce).respond(Buffer.from(challenge, 'latin1')),
      ).toBeNull()
    }
    for (const final of ['v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'v=', 'e=other-error']) {
      const client = new ScramSha256Client('user', 'pencil', '', nonce)
      client.respond(Buffer.from(first))
      expect(client.respond(Buffer.from(final))).toBeNull()
      expect(client.satisfied).toBe(false)
    }
  })

  it('escapes names and says who acts as whom', () => {
    const client = new ScramSha256Client('a=b,c', 'x', 'ad,min', nonce)
    expect(text(client.start())).toBe(`n,a=ad=2Cmin,n=a=3Db=2Cc,r=${nonce}`)
  })
})

describe('the others', () => {
  it('say what their documents say', () => {
    expect(text(new PlainClient('ü', 'p', 'z').start())).toBe('z\0ü\0p')
    expect(new PlainClient('u', 'p', '').respond()).toBeNull()
    const login = new LoginClient('u', 'p')
    expect([
      login.start(),
      text(login.respond()),
      login.satisfied,
      text(login.respond()),
      login.satisfied,
    ]).toEqual([null, 'u', false, 'p', true])
    expect(login.respond()).toBeNull()
    expect(text(new XOAuth2Client('u', 't').start())).toBe('user=u\x01auth=Bearer t\x01\x01')
  })

  it('are tried best first, and only where the credentials fit', () => {
    const names = (credentials: Parameters<typeof clientMechanisms>[0]) =>
      clientMechanisms(credentials).map(({ name, create }) => (create().name === name ? name : 'wrong'))
    expect(names({ user: 'u', password: 'p' })).toEqual(['SCRAM-SHA-256', 'PLAIN', 'LOGIN'])
    expect(names({ user: 'u', password: 'p', authorizationId: 'z' })).toEqual(['SCRAM-SHA-256', 'PLAIN'])
    expect(names({ user: 'u', accessToken: 't' })).toEqual(['OAUTHBEARER', 'XOAUTH2'])
    for (const wrong of [
      { user: '', password: 'p' },
      { user: 'u\0', password: 'p' },
      { user: 'u', password: 'p\r\n' },
      { user: 'u', accessToken: 'a b' },
      { user: 'u', password: 'p', authorizationId: '\n' },
    ]) {
      expect(() => clientMechanisms(wrong)).toThrow(expect.objectContaining({ code: 'CREDENTIALS' }))
    }
  })
})

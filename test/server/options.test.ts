import { describe, expect, it } from 'vitest'
import { checkOptions, formatListenAddress, parseListenAddress } from '../../src/server/index.js'

const good = {
  hostname: 'mail.example.test',
  data: './data',
  listen: { smtp: '127.0.0.1:2525', imaps: '[::1]:0' },
  tls: { cert: 'cert.pem', key: 'key.pem' },
  domains: {
    'example.test': {
      users: { alice: { password: 'secret' } },
      aliases: { info: ['alice@example.test'], office: 'alice@example.test' },
      catchAll: 'alice@example.test',
    },
  },
  postmaster: 'alice@example.test',
  plaintextLogin: 'never',
  limits: {
    smtp: { recipients: 200 },
    imap: { literal: 8192 },
    logins: { perAddress: 5 },
    connections: [5, 10, 20],
  },
}

describe('checkOptions', () => {
  it('takes every setting', () => {
    expect(() => checkOptions(good)).not.toThrow()
  })

  it.each([
    ['a list', [], /must be an object/],
    [
      'nothing to listen at',
      { ...good, listen: {} },
      /^listen: names no listener; write at least one of smtp/,
    ],
    ['no listen', { domains: {} }, /^listen: is missing/],
    ['no domains', { listen: good.listen }, /^domains: is missing/],
    [
      'an unknown key',
      { ...good, port: 25 },
      /^port: there is no such setting; known here: hostname, data, listen/,
    ],
    [
      'an unknown listener',
      { ...good, listen: { smpt: '127.0.0.1:25' } },
      /^listen\.smpt: .*known here: smtp, lmtp, submission/,
    ],
    [
      'a bare port',
      { ...good, listen: { smtp: '25' } },
      /^listen\.smtp: must be host:port, for example "127.0.0.1:2525"/,
    ],
    ['a number', { ...good, listen: { smtp: 25 } }, /^listen\.smtp: must be host:port.*not 25/],
    ['a port out of range', { ...good, listen: { smtp: 'localhost:65536' } }, /^listen\.smtp/],
    ['half a certificate', { ...good, tls: { cert: 'cert.pem' } }, /^tls\.key: is missing/],
    [
      'a bad domain',
      { ...good, domains: { 'no domain': {} } },
      /^domains\["no domain"\]: must be a domain name/,
    ],
    [
      'an address as a user',
      { ...good, domains: { 'a.test': { users: { 'x@a.test': { password: 'y' } } } } },
      /must be the part of an address before the @/,
    ],
    [
      'a user without a secret',
      { ...good, domains: { 'a.test': { users: { x: {} } } } },
      /users\["x"\]: needs either "password" or "passwordHash"/,
    ],
    [
      'a user with both',
      { ...good, domains: { 'a.test': { users: { x: { password: 'a', passwordHash: 'b' } } } } },
      /needs either/,
    ],
    [
      'an alias to nobody',
      { ...good, domains: { 'a.test': { aliases: { x: [] } } } },
      /aliases\["x"\]: must name at least one address/,
    ],
    [
      'a policy that is none',
      { ...good, plaintextLogin: 'yes' },
      /^plaintextLogin: must be one of "loopback", "always", "never"/,
    ],
    [
      'a size below all sense',
      { ...good, maxMessageSize: 3 },
      /^maxMessageSize: must be a whole number from 1024/,
    ],
    [
      'a limit that is none',
      { ...good, limits: { smtp: { recipient: 5 } } },
      /^limits\.smtp: unknown limit "recipient"; known: commandOctets/,
    ],
    [
      'a limit out of range',
      { ...good, limits: { logins: { perAddress: 0 } } },
      /^limits\.logins: limit "perAddress" must be a whole number from 1/,
    ],
    [
      'two connection limits',
      { ...good, limits: { connections: [1, 2] } },
      /^limits\.connections: must be three numbers/,
    ],
    ['a proxy that is anybody', { ...good, proxy: true }, /^proxy: must name listeners.*"smtp": \["192/],
    [
      'a proxy of a listener that is anybody',
      { ...good, proxy: { smtp: true } },
      /^proxy\.smtp: must be a list of the addresses and networks to trust, as in \["192/,
    ],
    [
      'XCLIENT for all',
      { ...good, smtp: { xclient: true } },
      /^smtp\.xclient: must be a list of the addresses/,
    ],
    ['a misspelt setting', { ...good, smtp: { tarpitt: 1 } }, /^smtp\.tarpitt: .*did you mean "tarpit"\?/],
    ['other line ends', { ...good, smtp: { bareLineEnds: 'keep' } }, /^smtp\.bareLineEnds: must be one of/],
    ['NUL as a number', { ...good, smtp: { allowNul: 1 } }, /^smtp\.allowNul: must be true or false/],
    ['domains without one', { ...good, domains: {} }, /^domains: is missing/],
    ['a store that is none', { ...good, store: {} }, /^store: must be a MailStore with open, stage, apply/],
    [
      'a key of every object',
      JSON.parse('{"__proto__": 1, "listen": {"imap": "[::1]:1"}}'),
      /^__proto__: there is no such setting/,
    ],
  ])('refuses %s', (_, value, message) => {
    expect(() => checkOptions(value)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }),
    )
  })
})

describe('listen addresses', () => {
  it.each([
    ['127.0.0.1:2525', { host: '127.0.0.1', port: 2525 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['mail.example.test:25', { host: 'mail.example.test', port: 25 }],
  ])('reads and writes %s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address)
    expect(formatListenAddress(address)).toBe(text)
  })

  it.each(['::1:25', '[127.0.0.1]:25', 'host', 'host:', ':25', 'a b:25', 'host:99999', '[::1'])(
    'refuses %s',
    (text) => {
      expect(parseListenAddress(text)).toBe(null)
    },
  )
})

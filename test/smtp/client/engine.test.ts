import { describe, expect, it } from 'vitest'
import { ClientTalk, ehlo } from './talk.js'

describe('the session', () => {
  it('greets with EHLO, and with HELO where EHLO is not known', () => {
    const talk = new ClientTalk()
    expect(talk.run()).toBe('')
    expect(talk.hear('220-mx\r\n220 ESMTP\r\n')).toBe('EHLO client.test\r\n')
    expect(talk.hear('502 5.5.1 What?\r\n')).toBe('HELO client.test\r\n')
    expect(talk.hear('250 mx\r\n')).toBe('')
    expect(talk.events.map(({ type }) => type)).toEqual(['greeting', 'hello', 'ready'])
    expect(talk.engine.ready).toBe(true)
  })

  it('gives the same for every cut of what the server says', () => {
    const text = `220 mx\r\n${ehlo('PIPELINING', 'SIZE 1000')}`
    const whole = new ClientTalk()
    whole.hear(text)
    for (let cut = 0; cut < text.length; cut++) {
      const talk = new ClientTalk()
      talk.hear(text, cut === 0 ? [...text].map((_, index) => index) : [cut])
      expect(talk.output).toBe(whole.output)
      expect(talk.events).toEqual(whole.events)
    }
  })

  it('tells who has submitted a message to a peer it has logged in at, and to no other (RFC 4954 section 5)', () => {
    const mail = (auth: string | undefined, login: boolean): string => {
      const talk = new ClientTalk({
        secure: true,
        ...(login ? { credentials: { user: 'alice', password: 'secret' } } : {}),
      })
      talk.hear(`220 mx\r\n${ehlo('AUTH PLAIN')}`)
      if (login) talk.hear('235 2.7.0 in\r\n')
      return talk.send(auth === undefined ? {} : { auth })
    }
    expect(mail('e=mc2@c.test', true)).toBe('MAIL FROM:<a@c.test> AUTH=e+3Dmc2@c.test\r\n')
    expect(mail('', true)).toBe('MAIL FROM:<a@c.test> AUTH=<>\r\n')
    expect(mail(undefined, true)).toBe('MAIL FROM:<a@c.test>\r\n')
    expect(mail('e=mc2@c.test', false)).toBe('MAIL FROM:<a@c.test>\r\n')
    for (const wrong of ['alice', '<a@c.test>', 'a@c.test SIZE=1', 'a@c.test\r\nRSET']) {
      expect(() => mail(wrong, true)).toThrow(expect.objectContaining({ code: 'ENVELOPE' }))
    }
  })

  it('speaks LMTP with LHLO and never HELO', () => {
    const talk = new ClientTalk({ lmtp: true })
    expect(talk.hear('220 mx\r\n')).toBe('LHLO client.test\r\n')
    expect(talk.hear('500 no\r\n')).toBe('QUIT\r\n')
    expect(talk.closed).toMatchObject({ reason: 'refused', error: { code: 'REFUSED' } })
  })

  it('tells why a server does not want it', () => {
    const talk = new ClientTalk()
    expect(talk.hear('554 5.7.1 Not you\r\n')).toBe('QUIT\r\n')
    expect(talk.closed).toMatchObject({
      reason: 'refused',
      error: { code: 'REFUSED', reply: { code: 554, enhanced: '5.7.1', lines: ['Not you'] } },
    })
    const busy = new ClientTalk()
    busy.hear('421 4.3.2 Later\r\n')
    expect(busy.closed).toMatchObject({ reason: 'refused', error: { reply: { code: 421 } } })
  })

  it('says QUIT and takes any end for an answer', () => {
    for (const answer of ['221 bye\r\n', '500 what\r\n', 'nonsense\r\n', null]) {
      const talk = new ClientTalk().begin()
      talk.engine.quit()
      expect(talk.run()).toBe('QUIT\r\n')
      if (answer === null) talk.engine.receiveEnd()
      else talk.hear(answer)
      talk.run()
      expect(talk.closed).toEqual({ type: 'closed', reason: 'quit', error: null })
    }
  })

  it('reads the keywords of EHLO in every spelling that is about', () => {
    const talk = new ClientTalk().begin(
      'size 0',
      'auth=LOGIN plain',
      'AUTH PLAIN XOAUTH2',
      '??',
      'X-Y z',
      '8bitmime',
    )
    expect(talk.engine.extensions).toMatchObject({
      size: Number.POSITIVE_INFINITY,
      mechanisms: ['LOGIN', 'PLAIN', 'PLAIN', 'XOAUTH2'],
      eightBitMime: true,
      pipelining: false,
    })
    expect(talk.engine.extensions.keywords.get('X-Y')).toBe('z')
  })

  it('throws for options and calls that cannot work', () => {
    expect(() => new ClientTalk({ hostname: 'a\r\nb' })).toThrow(expect.objectContaining({ code: 'OPTION' }))
    expect(() => new ClientTalk({ limits: { mailMs: 0 } })).toThrow(
      expect.objectContaining({ code: 'LIMIT' }),
    )
    expect(() => new ClientTalk({ credentials: { user: 'a\r\n', password: 'b' } })).toThrow(
      expect.objectContaining({ code: 'CREDENTIALS' }),
    )
    const talk = new ClientTalk()
    expect(() => talk.send()).toThrow(expect.objectContaining({ code: 'STATE' }))
    talk.begin()
    talk.send()
    expect(() => talk.body('x')).toThrow(expect.objectContaining({ code: 'STATE' }))
    expect(() => talk.engine.quit()).toThrow(expect.objectContaining({ code: 'STATE' }))
  })
})

describe('TLS', () => {
  it('uses STARTTLS where it is offered, and forgets what was said before', () => {
    const talk = new ClientTalk()
    talk.hear('220 mx\r\n')
    expect(talk.hear(ehlo('STARTTLS', 'AUTH PLAIN', 'PIPELINING'))).toBe('STARTTLS\r\n')
    expect(talk.hear('220 go\r\n')).toBe('')
    expect(talk.engine.need).toBe('upgrade')
    talk.engine.upgraded('tls', null)
    expect(talk.engine.extensions.pipelining).toBe(false)
    expect(talk.run()).toBe('EHLO client.test\r\n')
    talk.hear(ehlo('STARTTLS', 'SIZE'))
    expect(talk.engine).toMatchObject({ ready: true, secure: true })
  })

  it('aborts when octets come with the go-ahead or after it, and sends no credential', () => {
    const credentials = { user: 'u', password: 'p' }
    for (const injected of ['220 go\r\n250 mx\r\n', '220 go\r\n2', '220 go\r\n\0']) {
      for (let cut = 0; cut <= injected.length; cut++) {
        const talk = new ClientTalk({ startTls: 'required', credentials })
        talk.hear(`220 mx\r\n${ehlo('STARTTLS', 'AUTH PLAIN')}`)
        talk.hear(injected, [cut])
        expect(talk.closed).toMatchObject({ reason: 'protocol', error: { code: 'TLS_INJECTION' } })
        expect(talk.output).toBe('EHLO client.test\r\nSTARTTLS\r\n')
      }
    }
  })

  it('does without where TLS is opportunistic, and gives up where it is required', () => {
    const free = new ClientTalk()
    free.hear(`220 mx\r\n${ehlo('STARTTLS')}`)
    free.hear('454 4.7.0 Not now\r\n')
    expect(free.engine).toMatchObject({ ready: true, secure: false })
    for (const said of [[ehlo('SIZE')], ['500 no\r\n', '250 mx\r\n'], [ehlo('STARTTLS'), '454 no\r\n']]) {
      const strict = new ClientTalk({ startTls: 'required', credentials: { user: 'u', password: 'p' } })
      strict.hear('220 mx\r\n')
      for (const text of said) strict.hear(text)
      expect(strict.output.endsWith('QUIT\r\n')).toBe(true)
      expect(strict.closed).toMatchObject({ reason: 'policy', error: { code: 'TLS_REQUIRED' } })
    }
    const never = new ClientTalk({ startTls: 'none' }).begin('STARTTLS')
    expect(never.engine.ready).toBe(true)
  })
})

describe('AUTH', () => {
  const login = (options: object, ...keywords: string[]): ClientTalk => {
    const talk = new ClientTalk({ credentials: { user: 'u', password: 'p' }, ...options })
    talk.hear(`220 mx\r\n${ehlo(...keywords)}`)
    return talk
  }
  const secure = { secure: true }

  it('takes the best mechanism that both know', () => {
    expect(login(secure, 'AUTH LOGIN PLAIN').output).toContain('AUTH PLAIN AHUAcA==\r\n')
    expect(login(secure, 'AUTH LOGIN PLAIN SCRAM-SHA-256').output).toMatch(
      /AUTH SCRAM-SHA-256 [A-Za-z0-9+/]+=*\r\n$/,
    )
    const talk = login({ ...secure, mechanisms: ['login'] }, 'AUTH LOGIN PLAIN')
    expect(talk.hear('334 VXNlcm5hbWU6\r\n')).toBe('dQ==\r\n')
    expect(talk.hear('334 UGFzc3dvcmQ6\r\n')).toBe('cA==\r\n')
    expect(talk.hear('235 2.7.0 ok\r\n')).toBe('')
    expect(talk.events.slice(-2)).toEqual([{ type: 'authenticated', mechanism: 'LOGIN' }, { type: 'ready' }])
  })

  it('sends a response that makes the command too long only when it is asked for (RFC 4954 section 4)', () => {
    const credentials = { user: 'alice', accessToken: 'x'.repeat(2000) }
    const talk = new ClientTalk({ ...secure, credentials, mechanisms: ['XOAUTH2'] })
    expect(talk.hear(`220 mx\r\n${ehlo('AUTH XOAUTH2')}`)).toMatch(/\r\nAUTH XOAUTH2\r\n$/)
    const response = talk.hear('334 \r\n')
    expect(Buffer.from(response, 'base64').toString()).toContain('user=alice')
    expect(talk.hear('235 2.7.0 ok\r\n')).toBe('')
    expect(talk.engine.ready).toBe(true)
  })

  it('cancels an exchange whose challenge it cannot read', () => {
    const talk = login({ ...secure, mechanisms: ['LOGIN'] }, 'AUTH LOGIN')
    expect(talk.hear('334 =AAA\r\n')).toBe('*\r\n')
    expect(talk.closed).toMatchObject({ reason: 'policy', error: { code: 'AUTH_FAILED' } })
  })

  it('sends no password in clear, and takes SCRAM there', () => {
    const talk = login({}, 'AUTH PLAIN LOGIN')
    expect(talk.output).toBe('EHLO client.test\r\nQUIT\r\n')
    expect(talk.closed).toMatchObject({ reason: 'policy', error: { code: 'AUTH_INSECURE' } })
    expect(login({}, 'AUTH PLAIN SCRAM-SHA-256').output).toContain('AUTH SCRAM-SHA-256 ')
    expect(login({ allowPlaintext: true }, 'AUTH PLAIN').output).toContain('AUTH PLAIN ')
    expect(login(secure, 'AUTH GSSAPI').closed).toMatchObject({ error: { code: 'AUTH_UNAVAILABLE' } })
    expect(login(secure).closed).toMatchObject({ error: { code: 'AUTH_UNAVAILABLE' } })
  })

  it('tries another mechanism after 504, and nothing after 535', () => {
    const talk = login(secure, 'AUTH PLAIN LOGIN')
    expect(talk.hear('504 5.5.4 not that\r\n')).toBe('AUTH LOGIN\r\n')
    expect(talk.hear('535 5.7.8 wrong\r\n')).toBe('QUIT\r\n')
    expect(talk.closed).toMatchObject({
      reason: 'refused',
      error: { reply: { code: 535, enhanced: '5.7.8' } },
    })
  })

  it('does not believe a server that skips its proof or talks nonsense', () => {
    expect(login(secure, 'AUTH SCRAM-SHA-256').hear('235 ok\r\n')).toBe('')
    for (const challenge of [
      '235 ok',
      '334 ???',
      `334 ${Buffer.from('r=x,s=eA==,i=4096').toString('base64')}`,
    ]) {
      const talk = login(secure, 'AUTH SCRAM-SHA-256')
      talk.hear(`${challenge}\r\n`)
      expect(talk.closed).toMatchObject({ reason: 'policy', error: { code: 'AUTH_FAILED' } })
    }
  })

  it('presents a token', () => {
    const credentials = { user: 'u', accessToken: 't' }
    const bearer = login({ ...secure, credentials }, 'AUTH XOAUTH2 OAUTHBEARER')
    expect(bearer.output).toContain(
      `AUTH OAUTHBEARER ${Buffer.from('n,a=u,\x01auth=Bearer t\x01\x01').toString('base64')}`,
    )
    expect(bearer.hear('334 e30=\r\n')).toBe('AQ==\r\n')
    bearer.hear('535 no\r\n')
    expect(bearer.closed?.reason).toBe('refused')
    const other = login({ ...secure, credentials }, 'AUTH XOAUTH2')
    expect(other.output).toContain(Buffer.from('user=u\x01auth=Bearer t\x01\x01').toString('base64'))
  })
})

describe('a message', () => {
  it('goes out in one group where the peer pipelines', () => {
    const talk = new ClientTalk().begin('PIPELINING')
    expect(talk.send({ to: ['b@x.test', 'c@x.test'] })).toBe(
      'MAIL FROM:<a@c.test>\r\nRCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nDATA\r\n',
    )
    expect(talk.engine.need).toBe('input')
    expect(talk.hear('250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n')).toBe('')
    expect(talk.engine.need).toBe('data')
    expect(talk.body('Subject: x\r\n\r\n.dot\r\nbare\nlf')).toBe(
      'Subject: x\r\n\r\n..dot\r\nbare\r\nlf\r\n.\r\n',
    )
    talk.hear('250 2.0.0 kept\r\n')
    expect(talk.outcome).toBe('+250 -550')
    expect(talk.engine.ready).toBe(true)
    expect(talk.send()).toMatch(/^MAIL/)
  })

  it('goes out command by command where it does not', () => {
    const talk = new ClientTalk().begin()
    expect(talk.send({ to: ['b@x.test', 'c@x.test'] })).toBe('MAIL FROM:<a@c.test>\r\n')
    expect(talk.hear('250 ok\r\n')).toBe('RCPT TO:<b@x.test>\r\n')
    expect(talk.hear('550 no\r\n')).toBe('RCPT TO:<c@x.test>\r\n')
    expect(talk.hear('251 will forward\r\n')).toBe('DATA\r\n')
    expect(talk.hear('354 go\r\n')).toBe('')
    expect(talk.body('x\r\n')).toBe('x\r\n.\r\n')
    talk.hear('250 ok\r\n')
    expect(talk.outcome).toBe('-550 +250')
  })

  it('ends with RSET what the peer still holds open', () => {
    const alone = new ClientTalk().begin()
    alone.send()
    alone.hear('250 ok\r\n')
    expect(alone.hear('550 no\r\n')).toBe('')
    expect(alone.outcome).toBe('-550')
    expect(alone.send()).toBe('RSET\r\n')
    expect(alone.hear('250 ok\r\n')).toBe('MAIL FROM:<a@c.test>\r\n')
    const grouped = new ClientTalk().begin('PIPELINING')
    grouped.send()
    grouped.hear('250 ok\r\n550 no\r\n554 no valid recipients\r\n')
    expect(grouped.outcome).toBe('-550')
    expect(grouped.send()).toMatch(/^RSET\r\nMAIL/)
    expect(grouped.hear('250 reset\r\n550 bad sender\r\n503 x\r\n503 x\r\n')).toBe('')
    expect(grouped.outcome).toBe('-550')
    expect(grouped.outcomes.at(-1)?.recipients[0]).toMatchObject({
      stage: 'mail',
      reply: { lines: ['bad sender'] },
    })
    expect(grouped.send()).toMatch(/^MAIL/)
  })

  it('sends an empty message when 354 comes although no recipient was taken', () => {
    const talk = new ClientTalk().begin('PIPELINING')
    talk.send()
    expect(talk.hear('250 ok\r\n550 no\r\n354 go\r\n')).toBe('.\r\n')
    expect(talk.outcomes).toHaveLength(0)
    talk.hear('554 nothing\r\n')
    expect(talk.outcome).toBe('-550')
    expect(talk.engine.ready).toBe(true)
  })

  it('never has more commands on their way than the limit', () => {
    const talk = new ClientTalk({ limits: { pipelined: 10 } }).begin('PIPELINING')
    const to = Array.from({ length: 1000 }, (_, index) => `u${index}@x.test`)
    let commands = talk.send({ to }).split('\r\n').length - 1
    expect(commands).toBe(10)
    for (let replies = 1; replies <= 1001; replies++) {
      commands += talk.hear('250 ok\r\n').split('\r\n').length - 1
      expect(commands - replies).toBeLessThanOrEqual(10)
    }
    expect(talk.output.endsWith('DATA\r\n')).toBe(true)
    talk.hear('354 go\r\n')
    talk.body('x')
    talk.hear('250 ok\r\n')
    expect(talk.outcomes.at(-1)?.recipients.every(({ accepted }) => accepted)).toBe(true)
  })

  it('hears of each recipient in LMTP', () => {
    const talk = new ClientTalk({ lmtp: true }).begin('PIPELINING')
    talk.send({ to: ['b@x.test', 'c@x.test', 'd@x.test'] })
    talk.hear('250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n')
    talk.body('x')
    talk.hear('250 kept\r\n')
    expect(talk.outcomes).toHaveLength(0)
    talk.hear('452 full\r\n')
    expect(talk.outcome).toBe('+250 -550 -452')
    expect(talk.engine.ready).toBe(true)
  })

  it('keeps what it heard of each recipient in LMTP when the connection breaks between the replies', () => {
    const talk = new ClientTalk({ lmtp: true }).begin('PIPELINING')
    talk.send({ to: ['b@x.test', 'c@x.test', 'd@x.test'] })
    talk.hear('250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n')
    talk.body('x')
    talk.hear('250 kept\r\n552 full\r\n')
    talk.engine.lost()
    talk.run()
    expect(talk.outcome).toBe('+250 -552 -451')
    expect(talk.outcomes[0]).toMatchObject({ inDoubt: true, error: { code: 'LOST' } })
  })

  it('tells a refusal of DATA from one of the message', () => {
    const talk = new ClientTalk().begin('PIPELINING')
    talk.send({ to: ['b@x.test', 'c@x.test'] })
    talk.hear('250 ok\r\n250 ok\r\n550 no\r\n451 later\r\n')
    expect(talk.outcome).toBe('-451 -550')
    expect(talk.outcomes[0]?.recipients[0]?.stage).toBe('data')
    talk.send()
    talk.hear('250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n')
    talk.body('x')
    talk.hear('554 spam\r\n')
    expect(talk.outcomes[1]?.recipients[0]).toMatchObject({ accepted: false, stage: 'message' })
  })
})

describe('BDAT', () => {
  const chunked = (...more: string[]): ClientTalk => new ClientTalk().begin('CHUNKING', ...more)

  it('sends chunks in place of dots, with line ends made good', () => {
    const talk = chunked('PIPELINING')
    expect(talk.send()).toBe('MAIL FROM:<a@c.test>\r\nRCPT TO:<b@example.test>\r\n')
    expect(talk.engine.need).toBe('input')
    talk.hear('250 ok\r\n250 ok\r\n')
    expect(talk.body('.a\nb\r', '\nc')).toBe('BDAT 10 LAST\r\n.a\r\nb\r\nc\r\n')
    talk.hear('250 kept\r\n')
    expect(talk.outcome).toBe('+250')
  })

  it('sends a small message along with its recipients, and believes what is said of them', () => {
    const talk = chunked('PIPELINING', 'SIZE 1000')
    talk.engine.send({ from: '', to: ['b@x.test', 'c@x.test'], size: 5 })
    expect(talk.engine.need).toBe('data')
    expect(talk.body('abc\r\n')).toBe(
      'MAIL FROM:<> SIZE=5\r\nRCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nBDAT 5 LAST\r\nabc\r\n',
    )
    talk.hear('250 ok\r\n550 no\r\n250 ok\r\n250 kept\r\n')
    expect(talk.outcome).toBe('-550 +250')
    talk.engine.send({ from: '', to: ['b@x.test'], size: 5 })
    talk.body('abc\r\n')
    talk.hear('250 ok\r\n550 no\r\n503 no recipients\r\n')
    expect(talk.outcome).toBe('-550')
    expect(talk.send()).toMatch(/^RSET\r\n/)
  })

  it('waits in LMTP for who is taken, since a chunk for nobody is not answered (RFC 2033 section 4.3)', () => {
    const talk = new ClientTalk({ lmtp: true }).begin('CHUNKING', 'PIPELINING')
    talk.engine.send({ from: '', to: ['b@x.test', 'c@x.test'], size: 5 })
    expect(talk.run()).toBe('MAIL FROM:<>\r\nRCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\n')
    talk.hear('250 ok\r\n550 no\r\n550 no\r\n')
    expect(talk.outcome).toBe('-550 -550')
    expect(talk.engine.ready).toBe(true)
    talk.engine.send({ from: '', to: ['b@x.test', 'c@x.test'], size: 5 })
    talk.hear('250 reset\r\n250 ok\r\n250 ok\r\n250 ok\r\n')
    expect(talk.body('abc\r\n')).toBe('BDAT 5 LAST\r\nabc\r\n')
    talk.hear('250 kept\r\n452 full\r\n')
    expect(talk.outcome).toBe('+250 -452')
  })

  it('has a few chunks on their way and stops at a refusal', () => {
    const talk = chunked('PIPELINING')
    talk.send()
    talk.hear('250 ok\r\n250 ok\r\n')
    const block = Buffer.alloc(262_144, 'x')
    let written = 0
    while (talk.engine.need === 'data') {
      talk.engine.write(block)
      written++
    }
    expect(written).toBe(5)
    expect(talk.run().match(/BDAT \d+\r\n/g)).toHaveLength(4)
    const bodies = () => talk.events.filter(({ type }) => type === 'body').length
    expect(bodies()).toBe(1)
    talk.hear('250 ok\r\n')
    expect(bodies()).toBe(2)
    talk.hear('452 full\r\n')
    expect(talk.engine.write(block)).toBe(false)
    expect(talk.outcomes).toHaveLength(0)
    expect(talk.hear('503 x\r\n503 x\r\n')).toBe('')
    expect(talk.outcome).toBe('-452')
    expect(talk.engine.end()).toBe(false)
    expect(talk.send()).toMatch(/^RSET/)
  })

  it('waits for the reply to each chunk where the peer does not pipeline', () => {
    const talk = chunked()
    talk.send()
    talk.hear('250 ok\r\n')
    talk.hear('250 ok\r\n')
    const block = Buffer.alloc(262_144, 'x')
    talk.engine.write(block)
    talk.engine.write(block)
    expect(talk.engine.need).toBe('input')
    talk.run()
    expect(talk.hear('250 ok\r\n')).toBe('')
    expect(talk.body().slice(0, 18)).toBe('BDAT 262146 LAST\r\n')
  })

  it('leaves a BINARYMIME message as it is', () => {
    const talk = chunked('PIPELINING', 'BINARYMIME')
    talk.send({ body: 'BINARYMIME' })
    expect(talk.output).toContain(' BODY=BINARYMIME\r\n')
    talk.hear('250 ok\r\n250 ok\r\n')
    expect(talk.body('a\nb\rc\0')).toBe('BDAT 6 LAST\r\na\nb\rc\0')
  })

  it('can be told not to', () => {
    const talk = new ClientTalk({ chunking: false }).begin('CHUNKING', 'PIPELINING')
    expect(talk.send()).toMatch(/DATA\r\n$/)
  })
})

describe('what the peer cannot take', () => {
  it('is refused without a word to it', () => {
    const refused: [object, string[], string, string][] = [
      [{ size: 1001 }, ['SIZE 1000'], '552', '5.3.4'],
      [{ body: '8BITMIME' }, [], '554', '5.6.3'],
      [{ body: 'BINARYMIME' }, ['CHUNKING'], '554', '5.6.3'],
      [{ smtpUtf8: true }, [], '550', '5.6.7'],
      [{ from: 'ü@x.test' }, [], '550', '5.6.7'],
      [{ to: ['ü@x.test'] }, [], '550', '5.6.7'],
      [{ requireTls: true }, ['REQUIRETLS'], '550', '5.7.10'],
      [{ from: 'not an address' }, [], '501', '5.1.7'],
      [{ to: [''] }, [], '501', '5.1.3'],
      [{ to: ['a>b@x.test'] }, [], '501', '5.1.3'],
    ]
    for (const [given, keywords, code, enhanced] of refused) {
      const talk = new ClientTalk().begin('PIPELINING', ...keywords)
      expect(talk.send(given)).toBe('')
      expect(talk.outcome).toBe(`-${code}`)
      expect(talk.outcomes[0]?.recipients[0]).toMatchObject({ stage: 'local', reply: { enhanced } })
      expect(talk.engine.ready).toBe(true)
    }
  })

  it('wants TLS, a proved peer and its word for REQUIRETLS; a bounce goes without (RFC 8689)', () => {
    const info = { version: 'TLSv1.3', cipher: 'x', serverName: null }
    const sessions: readonly [string, () => ClientTalk, string][] = [
      ['in clear', () => new ClientTalk({ startTls: 'none' }).begin('REQUIRETLS'), '5.7.10'],
      ['not proved', () => new ClientTalk({ secure: true }).begin('REQUIRETLS'), '5.7.10'],
      [
        'not proved in STARTTLS',
        () => {
          const talk = new ClientTalk().begin('STARTTLS')
          talk.hear('220 go\r\n')
          talk.engine.upgraded('tls', { ...info, peerVerified: false })
          talk.hear(ehlo('REQUIRETLS'))
          return talk
        },
        '5.7.10',
      ],
      ['not offered', () => new ClientTalk({ secure: true, peerVerified: true }).begin(), '5.7.30'],
      [
        'proved only before',
        () => new ClientTalk({ secure: false, peerVerified: true, startTls: 'none' }).begin('REQUIRETLS'),
        '5.7.10',
      ],
    ]
    for (const [name, begin, enhanced] of sessions) {
      const talk = begin()
      talk.run()
      expect(talk.send({ requireTls: true }), name).toBe('')
      expect(talk.outcomes[0]?.recipients[0], name).toMatchObject({ stage: 'local', reply: { enhanced } })
      expect(talk.send({ from: '', requireTls: true }), name).toBe('MAIL FROM:<>\r\n')
    }
    const proved = new ClientTalk().begin('STARTTLS')
    proved.hear('220 go\r\n')
    proved.engine.upgraded('tls', { ...info, peerVerified: true })
    proved.run()
    proved.hear(ehlo('REQUIRETLS'))
    expect(proved.send({ requireTls: true })).toBe('MAIL FROM:<a@c.test> REQUIRETLS\r\n')
    const bounce = new ClientTalk({ secure: true, peerVerified: true }).begin('REQUIRETLS')
    expect(bounce.send({ from: '', requireTls: true })).toBe('MAIL FROM:<> REQUIRETLS\r\n')
  })

  it("tells solicitation classes and since when a mailbox must be its owner's, where the peer wants to know", () => {
    const since = Date.UTC(2014, 3, 3, 23, 1)
    const to = (['reject', 'continue'] as const).map((otherwise) => ({
      address: `${otherwise}@x.test`,
      validSince: { since, otherwise },
    }))
    const given = { to, solicitation: ['net.example:ADV', 'b'] }
    expect(new ClientTalk().begin('PIPELINING', 'RRVS', 'NO-SOLICITING').send(given)).toBe(
      'MAIL FROM:<a@c.test> SOLICIT=net.example:ADV,b\r\nRCPT TO:<reject@x.test> RRVS=2014-04-03T23:01:00Z;R\r\n' +
        'RCPT TO:<continue@x.test> RRVS=2014-04-03T23:01:00Z;C\r\nDATA\r\n',
    )
    const without = new ClientTalk().begin('PIPELINING')
    expect(without.send(given)).toBe('MAIL FROM:<a@c.test>\r\nRCPT TO:<continue@x.test>\r\nDATA\r\n')
    without.hear('250 ok\r\n250 ok\r\n354 go\r\n')
    without.body('x')
    without.hear('250 ok\r\n')
    expect(without.outcome).toBe('-550 +250')
    const talk = new ClientTalk().begin()
    expect(() => talk.send({ solicitation: ['a b'] })).toThrow(expect.objectContaining({ code: 'ENVELOPE' }))
    expect(() =>
      talk.send({ to: [{ address: 'a@b.test', validSince: { since: Number.NaN, otherwise: 'reject' } }] }),
    ).toThrow(expect.objectContaining({ code: 'ENVELOPE' }))
  })

  it('spares the others one recipient that is none', () => {
    const talk = new ClientTalk().begin('PIPELINING')
    expect(talk.send({ to: ['x', 'b@x.test', 'Postmaster'] })).toBe(
      'MAIL FROM:<a@c.test>\r\nRCPT TO:<b@x.test>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n',
    )
    talk.hear('250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n')
    talk.body('x')
    talk.hear('250 ok\r\n')
    expect(talk.outcome).toBe('-501 +250 +250')
  })

  it('says what the message needs where the peer offers it', () => {
    const all = ['PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'DSN', 'REQUIRETLS']
    const talk = new ClientTalk({ secure: true, peerVerified: true }).begin(...all)
    const given = {
      from: 'ü@x.test',
      to: [
        {
          address: 'b@x.test',
          notify: ['SUCCESS', 'DELAY'] as const,
          originalRecipient: 'rfc822;a+b@x.test',
        },
      ],
      size: 7,
      body: '8BITMIME' as const,
      ret: 'HDRS' as const,
      envelopeId: 'q=1',
      requireTls: true,
    }
    expect(Buffer.from(talk.send(given), 'latin1').toString('utf8')).toBe(
      'MAIL FROM:<ü@x.test> SIZE=7 BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=HDRS ENVID=q+3D1\r\n' +
        'RCPT TO:<b@x.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@x.test\r\nDATA\r\n',
    )
    const plain = new ClientTalk().begin('PIPELINING')
    expect(plain.send({ ...given, from: 'a@bücher.test', body: '7BIT', requireTls: false })).toBe(
      'MAIL FROM:<a@xn--bcher-kva.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n',
    )
  })

  it('throws for values that could break out of their line or mean nothing', () => {
    const talk = new ClientTalk().begin('DSN', 'PIPELINING')
    const wrong: object[] = [
      { from: 'a@b.test\r\nRSET' },
      { to: ['a@b.test\n'] },
      { to: ['a\0@b.test'] },
      { to: [] },
      { to: 'a@b.test' },
      { to: [{ notify: ['NEVER'] }] },
      { from: undefined },
      { size: -1 },
      { size: 1.5 },
      { envelopeId: 'a\r\n' },
      { envelopeId: '+'.repeat(34) },
      { envelopeId: '' },
      { to: [{ address: 'a@b.test', notify: ['NEVER', 'DELAY'] }] },
      { to: [{ address: 'a@b.test', notify: [] }] },
      { to: [{ address: 'a@b.test', notify: ['X\r\n'] }] },
      { to: [{ address: 'a@b.test', originalRecipient: 'x' }] },
      { to: [{ address: 'a@b.test', originalRecipient: 'rfc822;\r\n' }] },
      { ret: 'X' },
    ]
    for (const each of [talk, new ClientTalk().begin()]) {
      for (const given of wrong) {
        expect(() => each.send(given)).toThrow(expect.objectContaining({ code: 'ENVELOPE' }))
        expect(each.output).toBe('')
        expect(each.engine.ready).toBe(true)
      }
    }
  })
})

describe('the wire log', () => {
  it('has no secret', () => {
    const entries: string[] = []
    const wireLog = {
      line: (from: string, text: string) => entries.push(`${from} ${text}`),
      secret: (from: string, text: string) => entries.push(`${from} ${text}`),
      octets: () => entries.push('octets'),
    }
    const talk = new ClientTalk({
      secure: true,
      credentials: { user: 'u', password: 'p' },
      mechanisms: ['LOGIN'],
      wireLog: wireLog as never,
    })
    talk.hear(`220 mx\r\n${ehlo('AUTH LOGIN')}`)
    talk.hear('334 VXNlcm5hbWU6\r\n')
    talk.hear('334 UGFzc3dvcmQ6\r\n')
    expect(entries.slice(-5)).toEqual([
      'client AUTH LOGIN',
      'server 334 ***',
      'client ***',
      'server 334 ***',
      'client ***',
    ])
  })
})

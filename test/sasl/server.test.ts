import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AuthContext, Authenticator, AuthResult, ScramAttempt } from '../../src/interfaces/index.js'
import type { AuthAnswer, AuthQuestion, ExchangeStep } from '../../src/sasl/index.js'
import {
  askAuthenticator,
  clientMechanisms,
  describeMechanism,
  preparePassword,
  ServerExchange,
  usableMechanisms,
} from '../../src/sasl/index.js'
import {
  agreeTo,
  everyMechanism,
  exampleFinal,
  exampleFirst,
  exampleKeys,
  exampleNonce,
} from '../support/auth.js'

const names = everyMechanism.mechanisms
const context: AuthContext = {
  protocol: 'smtp',
  mechanism: 'SCRAM-SHA-256',
  remoteAddress: '192.0.2.1',
  secure: true,
  signal: new AbortController().signal,
}

function exchangeOf(name: string): ServerExchange {
  const description = describeMechanism(name)
  if (description === undefined) throw new Error(`no mechanism ${name}`)
  return new ServerExchange(name, description)
}

const base64 = (octets: Uint8Array | string): string => Buffer.from(octets).toString('base64')

/** Answers until the client has to speak again, or it is over. */
function settle(
  exchange: ServerExchange,
  step: ExchangeStep,
  answer: (question: AuthQuestion) => AuthAnswer,
): ExchangeStep {
  let next = step
  while (next.type === 'question') next = exchange.answer(answer(next.question))
  return next
}

const clientFinal = Buffer.from(exampleFinal, 'base64').toString()

/** What an exchange with that last message comes to, after keys and a nonce of the host's. */
function proofOf(final: string, nonce = exampleNonce): ExchangeStep {
  const exchange = exchangeOf('SCRAM-SHA-256')
  settle(exchange, exchange.begin(exampleFirst), (question) => ({
    ...(agreeTo(question) as { readonly attempt: ScramAttempt }),
    nonce,
  }))
  return exchange.respond(base64(final))
}

describe('SCRAM-SHA-256, the server', () => {
  it('says what the example of RFC 7677 section 3 says', () => {
    const exchange = exchangeOf('SCRAM-SHA-256')
    const asked = exchange.begin(exampleFirst)
    expect(asked).toEqual({
      type: 'question',
      question: { type: 'scram', credentials: { user: 'user', authorizationId: '' } },
    })
    expect(exchange.user).toBe('user')
    expect(settle(exchange, asked, agreeTo)).toEqual({
      type: 'challenge',
      text: base64('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'),
    })
    const proof = exchange.respond(exampleFinal)
    expect(proof).toMatchObject({ type: 'question', question: { type: 'proof', proved: true } })
    expect(settle(exchange, proof, agreeTo)).toEqual({
      type: 'challenge',
      text: base64('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='),
    })
    expect(exchange.respond('')).toEqual({ type: 'outcome', result: { ok: true, user: 'user' } })
  })

  it('takes no proof of another exchange, and none with an octet changed', () => {
    expect(proofOf(clientFinal)).toMatchObject({ question: { proved: true } })
    expect(proofOf(clientFinal, 'another')).toMatchObject({ question: { proved: false } })
    for (let at = 0; at < clientFinal.length; at++) {
      // The last character of a proof holds bits that are of no octet.
      if (at === clientFinal.length - 2) continue
      const octet = clientFinal.charCodeAt(at)
      for (const other of [octet ^ 1, octet ^ 32]) {
        const changed = clientFinal.slice(0, at) + String.fromCharCode(other) + clientFinal.slice(at + 1)
        const step = proofOf(changed)
        expect([step.type, step.type === 'question' ? step.question : null], changed).not.toEqual([
          'question',
          expect.objectContaining({ proved: true }),
        ])
      }
      expect(proofOf(clientFinal.slice(0, at)), `cut at ${at}`).toEqual({
        type: 'failure',
        reason: 'malformed',
      })
    }
  })

  it('has another nonce each time, where the host gives none', async () => {
    const scram = async () => ({ keys: exampleKeys, finish: async () => ({ ok: true, user: 'u' }) as const })
    const authenticator = { mechanisms: ['SCRAM-SHA-256'], scram }
    const nonces = new Set<string>()
    for (let i = 0; i < 100; i++) {
      const credentials = { user: 'u', authorizationId: '' }
      const answer = await askAuthenticator(authenticator, { type: 'scram', credentials }, context)
      if (!('nonce' in answer)) throw new Error('no challenge')
      expect(answer.nonce).toMatch(/^[\x21-\x2b\x2d-\x7e]{24}$/)
      nonces.add(answer.nonce)
    }
    expect(nonces.size).toBe(100)
  })

  it('takes no answer to another question', () => {
    const wrong = expect.objectContaining({ code: 'ANSWER' })
    const yes: AuthResult = { ok: true, user: 'user' }
    const keys = agreeTo({ type: 'scram', credentials: { user: 'user', authorizationId: '' } })
    const scram = exchangeOf('SCRAM-SHA-256')
    expect(() => scram.answer(keys)).toThrow(wrong)
    scram.begin(exampleFirst)
    expect(() => scram.answer(yes)).toThrow(wrong)
    scram.answer(keys)
    scram.respond(exampleFinal)
    expect(() => scram.answer(keys)).toThrow(wrong)
    for (const [name, message] of [
      ['PLAIN', '\0u\0p'],
      ['XOAUTH2', 'user=u\x01auth=Bearer t\x01\x01'],
    ] as const) {
      const exchange = exchangeOf(name)
      exchange.begin(base64(message))
      expect(() => exchange.answer(keys)).toThrow(wrong)
    }
  })
})

describe('askAuthenticator', () => {
  const ask = (authenticator: Authenticator | null, question: AuthQuestion) =>
    askAuthenticator(authenticator, question, context)
  const credentials = { user: 'alice', authorizationId: '' }

  it('refuses keys and a nonce that cannot be used', async () => {
    const attempt: ScramAttempt = { keys: exampleKeys, finish: async () => ({ ok: true, user: 'u' }) }
    for (const broken of [
      { ...attempt, keys: { ...exampleKeys, salt: Buffer.alloc(0) } },
      { ...attempt, keys: { ...exampleKeys, iterations: 0 } },
      { ...attempt, keys: { ...exampleKeys, iterations: 4096.5 } },
      { ...attempt, keys: { ...exampleKeys, storedKey: Buffer.alloc(20) } },
      { ...attempt, keys: { ...exampleKeys, serverKey: Buffer.alloc(33) } },
      { ...attempt, nonce: '' },
      { ...attempt, nonce: 'a,b' },
      { ...attempt, nonce: 'a\r\n' },
    ]) {
      const authenticator = { mechanisms: [], scram: async () => broken }
      await expect(ask(authenticator, { type: 'scram', credentials })).rejects.toMatchObject({
        code: 'SCRAM',
      })
    }
  })

  it('lets nobody act for another, unless it is the other who has logged in', async () => {
    const invalid = { ok: false, failure: 'invalid' }
    const attempt = (user: string): ScramAttempt => ({
      keys: exampleKeys,
      finish: async () => ({ ok: true, user }),
    })
    for (const [authorizationId, user, taken] of [
      ['', 'alice@example.test', true],
      ['alice', 'alice@example.test', true],
      ['alice@example.test', 'alice@example.test', true],
      ['bob', 'alice@example.test', false],
      ['bob', 'bob', true],
    ] as const) {
      const result = taken ? { ok: true, user } : invalid
      const who = { user: 'alice', authorizationId }
      const proof = { type: 'proof', credentials: who, attempt: attempt(user), proved: true } as const
      expect(await ask(null, proof)).toEqual(result)
      expect(await ask(null, { ...proof, proved: false })).toEqual(invalid)
      const plain = { mechanisms: [], plain: async () => ({ ok: true, user }) as const }
      expect(await ask(plain, { type: 'plain', credentials: { ...who, password: 'x' } })).toEqual(result)
    }
  })

  it('says unavailable where the method is missing', async () => {
    const unavailable = { ok: false, failure: 'unavailable' }
    const bearer = { user: 'u', token: 't', host: null, port: null }
    for (const authenticator of [null, { mechanisms: names }]) {
      expect(await ask(authenticator, { type: 'scram', credentials })).toEqual(unavailable)
      expect(await ask(authenticator, { type: 'bearer', credentials: bearer })).toEqual(unavailable)
      const plain = { ...credentials, password: 'x' }
      expect(await ask(authenticator, { type: 'plain', credentials: plain })).toEqual(unavailable)
    }
  })
})

describe('mechanisms', () => {
  it('are offered where the authenticator lists them and has the method', () => {
    const { plain, scram, bearer } = everyMechanism as Required<Authenticator>
    const mechanisms = ['xoauth2', 'CRAM-MD5', 'LOGIN', '__proto__', 'Scram-SHA-256', 'PLAIN', 'OAUTHBEARER']
    expect(usableMechanisms({ mechanisms, plain, scram, bearer })).toEqual([
      'XOAUTH2',
      'LOGIN',
      'SCRAM-SHA-256',
      'PLAIN',
      'OAUTHBEARER',
    ])
    expect(usableMechanisms({ mechanisms, scram })).toEqual(['SCRAM-SHA-256'])
    expect(usableMechanisms({ mechanisms, bearer })).toEqual(['XOAUTH2', 'OAUTHBEARER'])
    expect(usableMechanisms({ mechanisms, plain })).toEqual(['LOGIN', 'PLAIN'])
    expect(usableMechanisms({ mechanisms })).toEqual([])
    expect(usableMechanisms({ mechanisms: ['CRAM-MD5'], plain, scram, bearer })).toEqual([])
  })

  it('of both sides agree, whatever name and password', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(word, word, fc.boolean(), (user, authorizationId, named) => {
        fc.pre(preparePassword(user) !== null && !/\p{Cc}/u.test(authorizationId))
        const who = { user, password: 'pencil', ...(named ? { authorizationId } : {}) }
        for (const { name, create } of [
          ...clientMechanisms(who),
          ...clientMechanisms({ user, accessToken: 'a.b-c~d+e/f==' }),
        ]) {
          const client = create()
          const exchange = exchangeOf(name)
          const asked: AuthQuestion[] = []
          const agree = (question: AuthQuestion): AuthAnswer => {
            asked.push(question)
            return agreeTo(question)
          }
          const initial = client.start()
          let step = settle(exchange, exchange.begin(initial === null ? null : base64(initial)), agree)
          while (step.type === 'challenge') {
            const response = client.respond(Buffer.from(step.text, 'base64'))
            if (response === null) throw new Error(`${name} gives up`)
            step = settle(exchange, exchange.respond(base64(response)), agree)
          }
          expect(step, name).toMatchObject({ type: 'outcome', result: { ok: true } })
          expect(client.satisfied).toBe(true)
          if (asked[0]?.type === 'plain' || asked[0]?.type === 'scram') {
            expect(asked[0].credentials.authorizationId).toBe(named ? authorizationId : '')
          }
          const same = name === 'SCRAM-SHA-256' ? asked[0]?.credentials.user : user
          expect(exchange.user).toBe(same)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('throw nothing, whatever a client says', () => {
    const piece = fc.constantFrom(
      ...['n', 'y', 'p=', ',', 'a=', 'n=', 'r=', 'm=', 'c=biws', 'p=', '=2C', '=', '\x01', '\0', 'user', 'x'],
      ...['auth=', 'Bearer ', 'host=', '\xff', 'ü', '*', exampleNonce, 'n,,n=u,r=x', clientFinal],
    )
    const message = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((parts) => base64(parts.join(''))),
      fc.uint8Array({ maxLength: 60 }).map(base64),
      fc.string({ maxLength: 20 }),
      fc.constantFrom('*', '=', '', exampleFirst, exampleFinal),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.option(message),
        fc.array(message, { maxLength: 4 }),
        fc.boolean(),
        (name, initial, lines, agrees) => {
          const exchange = exchangeOf(name)
          const answer = (question: AuthQuestion): AuthAnswer =>
            agrees ? agreeTo(question) : { ok: false, failure: 'invalid' }
          let step = settle(exchange, exchange.begin(initial), answer)
          for (const line of lines) {
            if (step.type !== 'challenge') break
            step = settle(exchange, exchange.respond(line), answer)
          }
          expect(['challenge', 'outcome', 'failure']).toContain(step.type)
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('bearer tokens', () => {
  it('come with what the client says of itself and of the server', () => {
    const exchange = exchangeOf('OAUTHBEARER')
    const message =
      'n,a=us=2Cer@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer a.b=\x01\x01'
    expect(exchange.begin(base64(message))).toEqual({
      type: 'question',
      question: {
        type: 'bearer',
        credentials: { user: 'us,er@example.com', token: 'a.b=', host: 'server.example.com', port: 143 },
      },
    })
  })

  it('are not told to be wrong where it is not the token that is at fault', () => {
    const message = base64('user=u\x01auth=Bearer t\x01\x01')
    for (const failure of ['unavailable', 'throttled'] as const) {
      const exchange = exchangeOf('XOAUTH2')
      exchange.begin(message)
      expect(exchange.answer({ ok: false, failure })).toEqual({
        type: 'outcome',
        result: { ok: false, failure },
      })
    }
    for (const failure of ['invalid', 'disabled'] as const) {
      const exchange = exchangeOf('XOAUTH2')
      exchange.begin(message)
      expect(exchange.answer({ ok: false, failure })).toMatchObject({ type: 'challenge' })
      expect(exchange.respond('')).toEqual({ type: 'outcome', result: { ok: false, failure } })
    }
  })
})

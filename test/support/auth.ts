import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { Authenticator, AuthResult, ScramAttempt, ScramKeys } from '../../src/interfaces/index.js'
import type { AuthAnswer, AuthQuestion } from '../../src/sasl/index.js'

const NO: AuthResult = { ok: false, failure: 'invalid' }

/** RFC 7677 section 3: what the client of its example says, in base64. */
export const exampleFirst = base64('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
export const exampleFinal = base64(
  'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
)
/** The server's part of its nonce, and the keys of the password `pencil`. */
export const exampleNonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
export const exampleKeys: ScramKeys = keysOf('pencil', 'W22ZaJ0SNY7soEsUEjb6gQ==', 4096)

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function keysOf(password: string, saltBase64: string, iterations: number): ScramKeys {
  const salt = Buffer.from(saltBase64, 'base64')
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  return {
    salt,
    iterations,
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: createHmac('sha256', salted).update('Server Key').digest(),
  }
}

/** The same for everyone: who answers for an engine answers for the proof too. */
const attempt: ScramAttempt = { keys: exampleKeys, finish: async () => NO }

/** Any password and any token will do; to SCRAM the password of everyone is `pencil`. */
export function agreeTo(question: AuthQuestion): AuthAnswer {
  const { user } = question.credentials
  const yes: AuthResult = { ok: true, user }
  switch (question.type) {
    case 'plain':
    case 'bearer':
      return yes
    case 'scram':
      return { nonce: exampleNonce, attempt }
    case 'proof':
      return question.proved ? yes : NO
  }
}

const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=='
const unknown: ScramKeys = {
  ...exampleKeys,
  salt: Buffer.alloc(16, 1),
  storedKey: Buffer.alloc(32, 2),
  serverKey: Buffer.alloc(32, 3),
}

/**
 * Every mechanism. The password of everyone is `pencil`, and some users show how a login fails; the token of RFC 7628
 * section 4 is someuser@example.com's. Nonces are always the same, which no server's may be.
 */
export const everyMechanism: Authenticator = {
  mechanisms: ['SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'OAUTHBEARER', 'XOAUTH2'],
  async plain({ user, password }) {
    return password === 'pencil' ? { ok: true, user } : NO
  },
  async scram({ user }) {
    if (user === 'away') return { ok: false, failure: 'unavailable' }
    if (user === 'hasty') return { ok: false, failure: 'throttled' }
    if (user === 'broken') throw new Error('no directory')
    return {
      keys: user === 'nobody' ? unknown : exampleKeys,
      nonce: exampleNonce,
      async finish(proved) {
        if (proved && user === 'barred') return { ok: false, failure: 'disabled' }
        return proved ? { ok: true, user } : NO
      },
    }
  },
  async bearer({ user, token }) {
    const owner = 'someuser@example.com'
    if (token === 'away') return { ok: false, failure: 'unavailable' }
    return token === TOKEN && (user === '' || user === owner) ? { ok: true, user: owner } : NO
  },
}

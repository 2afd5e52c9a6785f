import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { AuthResult, ScramKeys } from '../../src/interfaces/index.js'
import type { AuthAnswer, AuthQuestion } from '../../src/sasl/index.js'

const NO: AuthResult = { ok: false, failure: 'invalid' }

/** RFC 7677 section 3: the server's part of its example's nonce, and the keys of the password `pencil`. */
export const exampleNonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
export const exampleKeys: ScramKeys = keysOf('pencil', 'W22ZaJ0SNY7soEsUEjb6gQ==', 4096)

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

/** Any password and any token will do; to SCRAM the password of everyone is `pencil`. */
export function agreeTo(question: AuthQuestion): AuthAnswer {
  const { user } = question.credentials
  const yes: AuthResult = { ok: true, user }
  switch (question.type) {
    case 'plain':
    case 'bearer':
      return yes
    case 'scram':
      return {
        nonce: exampleNonce,
        attempt: { keys: exampleKeys, finish: async (proved) => (proved ? yes : NO) },
      }
    case 'proof':
      return question.proved ? yes : NO
  }
}

import { createHmac, randomBytes } from 'node:crypto'
import { UsageError } from '../core/index.js'
import type { ScramKeys } from '../interfaces/index.js'
import type { Records } from './record-directory.js'

const RECORD = 'scram'

/**
 * What SCRAM tells of users who do not exist follows from a secret and the name, so that nobody can tell them from real
 * ones: the salt of a name is the same at each attempt. With the same secret it is the same in each process too.
 */
export class ScramSecret {
  readonly #secret: Uint8Array

  /** Random by default, which does for one process until it ends. UsageError `SECRET` for less than 16 octets. */
  constructor(secret: Uint8Array = randomBytes(32)) {
    if (secret.length < 16) throw new UsageError('SECRET', 'a secret has 16 octets at least, made at random')
    this.#secret = secret
  }

  /** The one that is kept in `records`, made at its first use. */
  static async of(records: Records): Promise<ScramSecret> {
    const made = randomBytes(32).toString('base64')
    const kept = (await records.add(RECORD, made)) ? made : await records.get(RECORD)
    return new ScramSecret(Buffer.from(kept ?? '', 'base64'))
  }

  /** 16 octets. */
  saltOf(user: string): Buffer {
    return this.#derive('salt', user).subarray(0, 16)
  }

  /** Keys that look real, and that no proof matches: nobody knows what they would be the hash of. */
  keysOfNobody(user: string, iterations: number): ScramKeys {
    return {
      salt: this.saltOf(user),
      iterations,
      storedKey: this.#derive('stored key', user),
      serverKey: this.#derive('server key', user),
    }
  }

  #derive(what: string, user: string): Buffer {
    return createHmac('sha256', this.#secret).update(`${what}\0${user}`, 'utf8').digest()
  }
}

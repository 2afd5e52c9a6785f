import { UsageError } from '../../core/errors.js'
import { preparePassword } from '../prepare-password.js'
import { OAuthBearerClient, XOAuth2Client } from './bearer.js'
import { LoginClient } from './login.js'
import type { ClientCredentials, ClientMechanism } from './mechanism.js'
import { PlainClient } from './plain.js'
import { ScramSha256Client } from './scram.js'

interface Choice {
  readonly name: string
  readonly plaintext: boolean
  readonly create: () => ClientMechanism
}

/**
 * The mechanisms that these credentials can be used with, best first: one that keeps the password to itself before
 * those that send it. UsageError `CREDENTIALS` for what no mechanism can carry.
 */
export function clientMechanisms(credentials: ClientCredentials): readonly Choice[] {
  const { user } = credentials
  check('user', user)
  if ('accessToken' in credentials) {
    const { accessToken } = credentials
    if (!/^[\x21-\x7e]+$/.test(accessToken)) {
      throw new UsageError('CREDENTIALS', 'the access token must be printable ASCII without spaces')
    }
    return [
      { name: 'OAUTHBEARER', plaintext: true, create: () => new OAuthBearerClient(user, accessToken) },
      { name: 'XOAUTH2', plaintext: true, create: () => new XOAuth2Client(user, accessToken) },
    ]
  }
  const { password, authorizationId = '' } = credentials
  check('password', password)
  if (authorizationId !== '') check('authorizationId', authorizationId)
  const prepared = preparePassword(password)
  const choices: Choice[] = []
  if (prepared !== null) {
    choices.push({
      name: 'SCRAM-SHA-256',
      plaintext: false,
      create: () => new ScramSha256Client(preparePassword(user) ?? user, prepared, authorizationId),
    })
  }
  choices.push({
    name: 'PLAIN',
    plaintext: true,
    create: () => new PlainClient(user, password, authorizationId),
  })
  if (authorizationId === '') {
    choices.push({ name: 'LOGIN', plaintext: true, create: () => new LoginClient(user, password) })
  }
  return choices
}

function check(what: string, value: string): void {
  if (value === '' || /[\x00-\x1f\x7f]/.test(value)) {
    throw new UsageError('CREDENTIALS', `the ${what} is empty or holds a control character`)
  }
}

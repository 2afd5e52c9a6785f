export { OAuthBearerServer, XOAuth2Server } from './bearer.js'
export type { ClientCredentials, ClientMechanism } from './client/index.js'
export {
  clientMechanisms,
  LoginClient,
  OAuthBearerClient,
  PlainClient,
  ScramSha256Client,
  XOAuth2Client,
} from './client/index.js'
export { LoginServer } from './login.js'
export type { MechanismDescription, SaslFailure, SaslStep, ServerMechanism } from './mechanism.js'
export { PlainServer } from './plain.js'
export { preparePassword } from './prepare-password.js'
export type { AuthAnswer, AuthenticateEvent, AuthQuestion, LoginEvent, ScramChallenge } from './question.js'
export { askAuthenticator } from './question.js'
export { ScramSha256Server } from './scram.js'
export type { ExchangeStep } from './server-exchange.js'
export { decodeBase64, describeMechanism, ServerExchange, usableMechanisms } from './server-exchange.js'

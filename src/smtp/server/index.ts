export { SmtpServerEngine } from './engine.js'
export type { SmtpCloseReason, SmtpServerEvent } from './events.js'
export { refusalOfSolicitation } from './extensions/no-soliciting.js'
export type {
  ConnectionOption,
  ResolvedSmtpServerOptions,
  SmtpHostVerb,
  SmtpServerFeatures,
  SmtpServerLimits,
  SmtpServerOptions,
} from './options.js'
export { changeOptions, resolveSmtpServerOptions, smtpServerLimits } from './options.js'
export type { SmtpServerState } from './state.js'

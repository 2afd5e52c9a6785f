export { ImapServerSession } from './session.js'
export type { ImapSessionContext, ImapSessionOptions } from './user-session.js'

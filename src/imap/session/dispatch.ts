import type { Command } from '../command.js'
import { logIn } from './commands/auth.js'
import { copy, move } from './commands/copy.js'
import { expunge } from './commands/expunge.js'
import { fetch } from './commands/fetch.js'
import { list, lsub } from './commands/list.js'
import { create, remove, rename, subscribe } from './commands/mailboxes.js'
import { search } from './commands/search.js'
import { close, select, unselect } from './commands/select.js'
import { enable, id, namespace, poll } from './commands/simple.js'
import { status } from './commands/status.js'
import { store } from './commands/store.js'
import type { Outcome } from './outcome.js'
import type { UserSession } from './user-session.js'

/** The command of that name. */
export type CommandOf<N extends Command['name']> = Extract<Command, { readonly name: N }>

/** IDLE is no answer but a state of its own: `Idle` has it. */
type Answered = Exclude<Command, { readonly name: 'IDLE' }>

const commands: {
  readonly [N in Answered['name']]: (session: UserSession, command: CommandOf<N>) => Promise<Outcome>
} = {
  LOGIN: logIn,
  NOOP: poll,
  CHECK: poll,
  ID: id,
  ENABLE: enable,
  NAMESPACE: namespace,
  SELECT: select,
  EXAMINE: select,
  CREATE: create,
  DELETE: remove,
  RENAME: rename,
  SUBSCRIBE: subscribe,
  UNSUBSCRIBE: subscribe,
  LIST: list,
  LSUB: lsub,
  STATUS: status,
  CLOSE: close,
  UNSELECT: unselect,
  EXPUNGE: expunge,
  SEARCH: search,
  FETCH: fetch,
  STORE: store,
  COPY: copy,
  MOVE: move,
}

/** Carries out a command. Rejects with MailError for what the store refuses. */
export function perform(session: UserSession, command: Answered): Promise<Outcome> {
  const run = commands[command.name] as (session: UserSession, command: Answered) => Promise<Outcome>
  return run(session, command)
}

/**
 * RFC 3501 section 7.4.1: no expunge is told in answer to a FETCH, STORE or SEARCH with sequence numbers, since more of
 * them may be on their way.
 */
export function mayTellExpunges(command: Command): boolean {
  switch (command.name) {
    case 'FETCH':
    case 'STORE':
    case 'SEARCH':
      return command.uid
    default:
      return true
  }
}

import { KeywordTable } from '../../../core/keyword-table.js'
import type { Command } from '../command.js'
import { junk, type Sequence, sequence } from '../state.js'
import { auth } from './auth.js'
import { bdat } from './bdat.js'
import { data } from './data.js'
import { ehlo, helo, lhlo } from './helo.js'
import { help } from './help.js'
import { etrn, expn, vrfy } from './host-verbs.js'
import { mail } from './mail.js'
import { noop } from './noop.js'
import { notImplemented } from './not-implemented.js'
import { quit } from './quit.js'
import { rcpt } from './rcpt.js'
import { rset } from './rset.js'
import { starttls } from './starttls.js'
import { xclient, xforward } from './xclient.js'

const all = [
  ehlo,
  helo,
  lhlo,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  vrfy,
  expn,
  etrn,
  help,
  quit,
  starttls,
  auth,
  xclient,
  xforward,
  ...notImplemented,
]

/** A verb, what the state machine says of it, and whether it counts as junk. */
export interface Verb {
  readonly command: Command
  readonly sequence: Sequence
  readonly isJunk: boolean
}

/** Every verb the server knows. */
export const verbs: KeywordTable<Verb> = new KeywordTable(
  all.map((command) => {
    const { name } = command
    return [name, { command, sequence: sequence[name], isJunk: junk.has(name) }] as const
  }),
)

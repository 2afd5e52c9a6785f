import type { Command } from '../command.js'
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

/** Every verb the server knows, in capitals. */
export const commands: ReadonlyMap<string, Command> = new Map(all.map((command) => [command.name, command]))

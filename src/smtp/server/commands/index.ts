import type { Command } from '../command.js'
import { auth } from './auth.js'
import { data } from './data.js'
import { ehlo, helo } from './helo.js'
import { help } from './help.js'
import { mail } from './mail.js'
import { noop } from './noop.js'
import { notImplemented } from './not-implemented.js'
import { quit } from './quit.js'
import { rcpt } from './rcpt.js'
import { rset } from './rset.js'
import { starttls } from './starttls.js'
import { vrfy } from './vrfy.js'

const all = [ehlo, helo, mail, rcpt, data, rset, noop, vrfy, help, quit, starttls, auth, ...notImplemented]

/** Every verb the server knows, in capitals. */
export const commands: ReadonlyMap<string, Command> = new Map(all.map((command) => [command.name, command]))

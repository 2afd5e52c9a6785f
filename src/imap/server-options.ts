import type { WireLog } from '../core/wire-log.js'
import type { CapabilityFacts } from './capabilities.js'
import type { ImapLimits } from './limits.js'

/** What an ImapServerEngine is made with, one for each connection. */
export interface ImapServerEngineOptions extends CapabilityFacts {
  /** Said in the greeting. */
  readonly hostname: string
  /** The connection is encrypted from the start. */
  readonly secure: boolean
  readonly limits?: Partial<ImapLimits>
  /** What crosses the wire goes there, without passwords and authentication payloads. */
  readonly wireLog?: WireLog | null
}

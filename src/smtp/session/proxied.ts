import type { SessionContext } from '../../interfaces/index.js'
import type { Known } from './context.js'

/**
 * What XCLIENT changes: the session is another client's from now on, as far as its proxy has told. What the proxy says it does
 * not know is not known; of what it does not mention, the connection and the client's name stay, HELO and login do not.
 */
export function proxiedBy(
  attributes: ReadonlyMap<string, string | null>,
  before: SessionContext,
): Partial<Known> {
  const told = (name: string, otherwise: string): string =>
    attributes.has(name) ? (attributes.get(name) ?? '') : otherwise
  return {
    remoteAddress: told('ADDR', before.remoteAddress),
    remotePort: Number(told('PORT', String(before.remotePort))),
    localAddress: told('DESTADDR', before.localAddress),
    localPort: Number(told('DESTPORT', String(before.localPort))),
    helo: told('HELO', ''),
    user: attributes.get('LOGIN') ?? null,
    clientName: attributes.has('NAME') ? (attributes.get('NAME') ?? null) : (before.clientName ?? null),
  }
}

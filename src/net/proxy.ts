import type { Socket } from 'node:net'
import { plainAddress } from '../core/plain-address.js'
import type { ProxyAddresses } from './proxy-header.js'
import { readProxyHeader } from './proxy-header.js'

/**
 * Takes the PROXY header from the head of a connection and leaves what follows it unread. `bad` for one that is missing,
 * malformed, too long, or not complete in time; null where the proxy names nobody.
 */
export function takeProxyHeader(socket: Socket, timeoutMs: number): Promise<ProxyAddresses | null | 'bad'> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0)
    const finish = (result: ProxyAddresses | null | 'bad'): void => {
      clearTimeout(timer)
      socket.off('readable', read)
      socket.off('end', failed)
      socket.off('error', failed)
      socket.off('close', failed)
      resolve(result)
    }
    const failed = (): void => finish('bad')
    const timer = setTimeout(failed, timeoutMs)
    timer.unref()
    const read = (): void => {
      for (
        let chunk = socket.read() as Buffer | null;
        chunk !== null;
        chunk = socket.read() as Buffer | null
      ) {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
        const header = readProxyHeader(received)
        if (header === 'more') continue
        if (header === 'bad') finish('bad')
        else {
          const rest = received.subarray(header.length)
          if (rest.length > 0) socket.unshift(rest)
          finish(header.addresses === null ? null : plain(header.addresses))
        }
        return
      }
    }
    socket.on('readable', read)
    socket.once('end', failed)
    socket.once('error', failed)
    socket.once('close', failed)
    read()
  })
}

function plain(addresses: ProxyAddresses): ProxyAddresses {
  return {
    ...addresses,
    remoteAddress: plainAddress(addresses.remoteAddress),
    localAddress: plainAddress(addresses.localAddress),
  }
}

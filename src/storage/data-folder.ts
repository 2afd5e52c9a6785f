import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, linkSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MailError } from '../core/index.js'

/** Octets that a socket's path may have on every system, less what a name beside it takes. */
const LONGEST_PATH = 90
/** Time for another starter, who held our socket for a dead one's, to have put its own in the place. */
const SETTLE_MS = 60

/** A data folder that is this process's until `close`. */
export interface DataFolder {
  /** Where it listens: a socket's path or a pipe's name. */
  readonly endpoint: string
  close(): Promise<void>
}

/**
 * Makes this process the only owner of a folder. A listening socket says so: it dies with its process, however that
 * dies, so that nothing stale ever stands in the way; and it is the way to talk to the owner. Without `onConnection`
 * connections are closed at once. Rejects with MailError `inUse` while another process lives that owns the folder.
 */
export async function claimDataFolder(
  folder: string,
  onConnection: (socket: Socket) => void = (socket) => socket.destroy(),
): Promise<DataFolder> {
  const endpoint = endpointOf(folder)
  const sockets = new Set<Socket>()
  const accept = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    onConnection(socket)
  }
  const listening =
    process.platform === 'win32' ? listenPipe(endpoint, accept) : listenSocket(endpoint, accept)
  const stop = await listening.catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new MailError(
      'inUse',
      `another process has the data folder ${folder}; stop it first, or give this one a folder of its own`,
    )
  })
  return {
    endpoint,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await stop()
    },
  }
}

/** Connects to the process that owns a folder; null where none lives, or where there is no such folder. */
export async function connectDataFolder(folder: string): Promise<Socket | null> {
  try {
    return await dial(endpointOf(folder))
  } catch (error) {
    if (isDead(error)) return null
    throw error
  }
}

function endpointOf(folder: string): string {
  const real = realpathSync(folder)
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\mailwright-${hash}`
  const inside = join(real, 'owner.sock')
  return Buffer.byteLength(inside) <= LONGEST_PATH ? inside : join(tmpdir(), `mailwright-${hash}.sock`)
}

/** A pipe's name is free again the moment its process is gone. */
async function listenPipe(name: string, accept: (socket: Socket) => void): Promise<() => Promise<void>> {
  return listen(name, accept)
}

/**
 * The socket listens under a name of its own before a link gives it the folder's: whoever finds that name finds someone
 * who answers, or someone dead.
 */
async function listenSocket(path: string, accept: (socket: Socket) => void): Promise<() => Promise<void>> {
  const own = beside(path)
  const stop = await listen(own, accept)
  chmodSync(own, 0o600)
  const { ino } = statSync(own)
  const isOurs = (): boolean => statSync(path, { throwIfNoEntry: false })?.ino === ino
  const end = async (): Promise<void> => {
    if (isOurs()) rmSync(path, { force: true })
    rmSync(own, { force: true })
    await stop()
  }
  try {
    let replaced = false
    while (!tryLink(own, path)) {
      if (await isAlive(path)) throw inUse()
      replaced = true
      await removeDead(path)
    }
    rmSync(own, { force: true })
    if (replaced) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    if (!isOurs()) throw inUse()
    return end
  } catch (error) {
    await end()
    throw error
  }
}

/** Takes a dead socket out of the way; one that turns out to live, since another starter was quicker, goes back. */
async function removeDead(path: string): Promise<void> {
  const aside = beside(path)
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (await isAlive(aside)) tryLink(aside, path)
  rmSync(aside, { force: true })
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function beside(path: string): string {
  return `${path}.${randomBytes(3).toString('hex')}`
}

function inUse(): Error {
  return Object.assign(new Error('the folder has an owner'), { code: 'EADDRINUSE' })
}

async function isAlive(path: string): Promise<boolean> {
  try {
    const socket = await dial(path)
    socket.destroy()
    return true
  } catch (error) {
    // Whoever cannot be asked (another user's, or too busy to answer) is alive.
    return !isDead(error)
  }
}

function isDead(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNREFUSED' || code === 'ENOENT'
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

function listen(path: string, accept: (socket: Socket) => void): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const server = createServer(accept)
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      server.on('error', () => undefined)
      server.unref()
      resolve(() => new Promise<void>((done) => server.close(() => done())))
    })
  })
}

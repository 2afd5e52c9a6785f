import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { isMailError, MailError } from '../core/index.js'
import type { UserListing, Users } from './users.js'

/** What a second process asks of the one that owns the data folder: one line of JSON, answered by one line. */
type Request =
  | { readonly command: 'list' }
  | { readonly command: 'add' | 'passwd'; readonly address: string; readonly password: string }
  | { readonly command: 'remove'; readonly address: string }

type Response =
  | { readonly ok: true; readonly users?: readonly UserListing[] }
  | { readonly ok: false; readonly kind: MailError['kind'] | null; readonly message: string }

/** Octets of a request; a longer one ends the connection. */
const LONGEST_REQUEST = 65_536

/** Answers one connection of the control channel. Only who may write to the data folder can open one. */
export function serveControl(socket: Socket, users: () => Users | null): void {
  let held = ''
  let work = Promise.resolve()
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('data', (text: string) => {
    held += text
    const lines = held.split('\n')
    held = lines.pop() ?? ''
    if (held.length > LONGEST_REQUEST) {
      socket.destroy()
      return
    }
    for (const line of lines) {
      work = work.then(async () => {
        const response = await answer(line, users())
        if (socket.writable) socket.write(`${JSON.stringify(response)}\n`)
      })
    }
  })
}

async function answer(line: string, users: Users | null): Promise<Response> {
  if (users === null)
    return { ok: false, kind: 'unavailable', message: 'the server is still starting; try again' }
  try {
    const request = parseRequest(line)
    switch (request.command) {
      case 'list':
        return { ok: true, users: await users.list() }
      case 'add':
        await users.add(request.address, request.password)
        return { ok: true }
      case 'passwd':
        await users.setPassword(request.address, request.password)
        return { ok: true }
      case 'remove':
        await users.remove(request.address)
        return { ok: true }
    }
  } catch (error) {
    return { ok: false, kind: isMailError(error) ? error.kind : null, message: (error as Error).message }
  }
}

function parseRequest(line: string): Request {
  const value = JSON.parse(line) as Partial<Record<'command' | 'address' | 'password', unknown>> | null
  const { command, address, password } = value ?? {}
  if (command === 'list') return { command }
  if (typeof address === 'string') {
    if (command === 'remove') return { command, address }
    if ((command === 'add' || command === 'passwd') && typeof password === 'string') {
      return { command, address, password }
    }
  }
  throw new MailError('invalidName', 'this server does not know that request; is it of another version?')
}

/** The users of a server in another process, over its control channel. */
export class RemoteUsers {
  readonly #socket: Socket
  readonly #lines: AsyncIterator<string>

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  }

  async list(): Promise<readonly UserListing[]> {
    return (await this.#ask({ command: 'list' })) ?? []
  }

  async add(address: string, password: string): Promise<void> {
    await this.#ask({ command: 'add', address, password })
  }

  async setPassword(address: string, password: string): Promise<void> {
    await this.#ask({ command: 'passwd', address, password })
  }

  async remove(address: string): Promise<void> {
    await this.#ask({ command: 'remove', address })
  }

  async close(): Promise<void> {
    this.#socket.destroy()
  }

  /** Rejects with MailError as the server says, or `unavailable` when it does not answer. */
  async #ask(request: Request): Promise<readonly UserListing[] | undefined> {
    this.#socket.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new MailError('unavailable', 'the server closed its control channel; try again')
    const response = JSON.parse(value as string) as Response
    if (!response.ok) throw new MailError(response.kind ?? 'unavailable', response.message)
    return response.users
  }
}

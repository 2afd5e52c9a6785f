import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** What to send, how often, over how many connections at a time. */
export interface Load {
  readonly port: number
  readonly connections: number
  readonly recipients: number
  /** Octets of a message, or `dots` for 1 MiB of lines that begin with a dot. */
  readonly size: number | 'dots'
  /** A new connection for each message. */
  readonly reconnect: boolean
  /** TLS by STARTTLS. */
  readonly tls: boolean
  /** The next envelope goes out behind a message (RFC 2920 section 3.1), as `SmtpClient` sends when it has many. */
  readonly following?: boolean
  readonly seconds: number
}

export interface Loaded {
  readonly messages: number
  readonly seconds: number
}

const LF = 0x0a
const FOUR = 0x34
const FIVE = 0x35

/** A message as it goes over the wire, with its final dot. */
function makeMessage(size: number | 'dots'): Buffer {
  const header = 'From: a@client.test\r\nTo: b@example.test\r\nSubject: load\r\n\r\n'
  if (size === 'dots') return Buffer.from(`${header}${'..\r\n'.repeat(262_144)}.\r\n`)
  const line = `${'x'.repeat(76)}\r\n`
  return Buffer.from(`${(header + line.repeat(Math.ceil(size / line.length))).slice(0, size - 2)}\r\n.\r\n`)
}

/** Sends messages as fast as they are taken: commands in one group, then the message. */
export async function load(options: Load): Promise<Loaded> {
  const recipients = Array.from(
    { length: options.recipients },
    (_, index) => `RCPT TO:<user${index}@example.test>\r\n`,
  )
  const group = Buffer.from(`MAIL FROM:<sender@client.test>\r\n${recipients.join('')}DATA\r\n`)
  const message = makeMessage(options.size)
  const envelopeReplies = options.recipients + 2
  const messageAndGroup = Buffer.concat([message, group])
  const until = performance.now() + options.seconds * 1000
  let messages = 0
  const work = async (): Promise<void> => {
    let talk: Talk | null = null
    let asked = false
    while (performance.now() < until) {
      talk ??= await Talk.open(options)
      if (!asked) await talk.say(group, envelopeReplies, '3')
      if (options.following === true) {
        await talk.say(messageAndGroup, 1 + envelopeReplies, '3')
        asked = true
      } else {
        await talk.say(message, 1, '2')
      }
      messages++
      if (options.reconnect) {
        talk.close()
        talk = null
        asked = false
      }
    }
    talk?.close()
  }
  const from = performance.now()
  await Promise.all(Array.from({ length: options.connections }, work))
  return { messages, seconds: (performance.now() - from) / 1000 }
}

/** One connection; replies are counted, none may refuse, and the first digit of the last line is looked at. */
class Talk {
  #socket: Socket
  #lines: number
  #atLineStart: boolean
  #expected: string
  #last: Buffer
  #done: () => void
  #failed: (error: Error) => void

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#lines = 0
    this.#atLineStart = true
    this.#expected = ''
    this.#last = Buffer.alloc(0)
    this.#done = () => undefined
    this.#failed = () => undefined
    this.#listen()
  }

  static async open({ port, tls }: Load): Promise<Talk> {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    await once(socket, 'connect')
    const talk = new Talk(socket)
    await talk.#wait(1, '2')
    await talk.#ehlo()
    if (tls) {
      await talk.say(Buffer.from('STARTTLS\r\n'), 1, '2')
      socket.removeAllListeners()
      talk.#socket = connectTls({ socket, rejectUnauthorized: false })
      await once(talk.#socket, 'secureConnect')
      talk.#listen()
      await talk.#ehlo()
    }
    return talk
  }

  say(octets: Buffer, lines: number, digit: string): Promise<void> {
    this.#socket.write(octets)
    return this.#wait(lines, digit)
  }

  close(): void {
    this.#socket.removeAllListeners()
    this.#socket.on('error', () => undefined)
    this.#socket.end('QUIT\r\n')
    this.#socket.resume()
  }

  /** Only here is it unknown how many lines there will be. */
  async #ehlo(): Promise<void> {
    this.#socket.write('EHLO client.test\r\n')
    do await this.#wait(1, '2')
    while (!/(?:^|\n)250 [^\n]*\n$/.test(this.#last.toString('latin1')))
    this.#lines = 0
  }

  #wait(lines: number, digit: string): Promise<void> {
    this.#lines = lines
    this.#expected = digit
    return new Promise((resolve, reject) => {
      this.#done = resolve
      this.#failed = reject
    })
  }

  #listen(): void {
    this.#socket.on('error', (error) => this.#failed(error))
    this.#socket.on('close', () => this.#failed(new Error('the server closed the connection')))
    this.#socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; ) {
        const digit = chunk[at]
        if (this.#atLineStart && (digit === FOUR || digit === FIVE)) {
          this.#failed(new Error(`the server says: ${chunk.toString('latin1')}`))
        }
        const end = chunk.indexOf(LF, at)
        this.#atLineStart = end !== -1
        if (end === -1) break
        this.#lines--
        at = end + 1
      }
      this.#last = chunk
      if (this.#lines > 0) return
      const line = chunk.lastIndexOf(LF, chunk.length - 2) + 1
      if (String.fromCharCode(chunk[line] as number) === this.#expected) this.#done()
      else this.#failed(new Error(`the server says: ${chunk.toString('latin1')}`))
    })
  }
}

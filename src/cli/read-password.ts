import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { UsageError } from '../core/index.js'

/** Where a password comes from: a person at a terminal, or another program. */
export interface PasswordSource {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown }
  readonly output: Writable
}

/**
 * The password: typed twice without being shown where input is a terminal, else the first line of the input. Throws
 * UsageError `PASSWORD` when there is none or the two differ.
 */
export async function readPassword({ input, output }: PasswordSource, prompt: string): Promise<string> {
  if (input.isTTY !== true) return readFirstLine(input)
  const first = await ask(input, output, `${prompt}: `)
  const second = await ask(input, output, 'The same again: ')
  if (first !== second) throw new UsageError('PASSWORD', 'the two are not the same; nothing was changed')
  if (first === '') throw new UsageError('PASSWORD', 'a password is needed; nothing was changed')
  return first
}

async function readFirstLine(input: Readable): Promise<string> {
  const lines = createInterface({ input })
  try {
    for await (const line of lines) {
      if (line !== '') return line
      break
    }
  } finally {
    lines.close()
  }
  throw new UsageError('PASSWORD', 'no password came on standard input; write one line to it')
}

function ask(input: PasswordSource['input'], output: Writable, prompt: string): Promise<string> {
  output.write(prompt)
  input.setRawMode?.(true)
  input.resume()
  return new Promise((resolve, reject) => {
    let text = ''
    const finish = (act: () => void): void => {
      input.off('data', onData)
      input.setRawMode?.(false)
      input.pause()
      output.write('\n')
      act()
    }
    const onData = (chunk: Buffer): void => {
      for (const character of chunk.toString('utf8')) {
        if (character === '\r' || character === '\n') {
          finish(() => resolve(text))
          return
        }
        if (character === '\x03') {
          finish(() => reject(new UsageError('PASSWORD', 'interrupted; nothing was changed')))
          return
        }
        if (character === '\x7f' || character === '\b') text = [...text].slice(0, -1).join('')
        else text += character
      }
    }
    input.on('data', onData)
  })
}

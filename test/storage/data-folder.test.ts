import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { claimDataFolder, connectDataFolder, openSqliteStore } from '../../src/storage/index.js'
import { bundle } from './bundle.js'
import { temporaryFolders } from './folders.js'

const newFolder = temporaryFolders()

interface Child {
  readonly answer: Promise<string>
  kill(): Promise<void>
}

function start(script: string, folder: string): Child {
  const child: ChildProcess = spawn(process.execPath, [script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = new Promise((resolve) => child.on('close', resolve))
  return {
    answer: new Promise((resolve) =>
      child.stdout?.once('data', (data: Buffer) => resolve(data.toString().trim())),
    ),
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}

describe('the data folder', () => {
  it('has one owner, and another after it', async () => {
    const folder = newFolder()
    const first = await claimDataFolder(folder)
    await expect(claimDataFolder(folder)).rejects.toMatchObject({
      kind: 'inUse',
      message: expect.stringContaining(folder),
    })
    await first.close()
    const second = await claimDataFolder(folder)
    await second.close()
    expect(readdirSync(folder)).toEqual([])
  })

  it('is a way to talk to its owner', async () => {
    const folder = newFolder()
    expect(await connectDataFolder(folder)).toBeNull()
    expect(await connectDataFolder(join(folder, 'none'))).toBeNull()
    const owner = await claimDataFolder(folder, (socket) => socket.end('hello'))
    const socket = await connectDataFolder(folder)
    const heard: string[] = []
    for await (const data of socket ?? []) heard.push(String(data))
    expect(heard.join('')).toBe('hello')
    await owner.close()
    expect(await connectDataFolder(folder)).toBeNull()
  })

  it('may have a name longer than a socket may', async () => {
    const folder = join(newFolder(), 'd'.repeat(100))
    mkdirSync(folder)
    const owner = await claimDataFolder(folder, (socket) => socket.end())
    await expect(claimDataFolder(folder)).rejects.toMatchObject({ kind: 'inUse' })
    expect(await connectDataFolder(folder)).not.toBeNull()
    await owner.close()
    await (await claimDataFolder(folder)).close()
  })

  it('refuses a second process, and is free when the first is killed', { timeout: 60_000 }, async () => {
    const script = await bundle('folder-child.ts')
    const folder = newFolder()
    const first = start(script, folder)
    expect(await first.answer).toBe('claimed')
    await expect(openSqliteStore({ path: folder })).rejects.toMatchObject({
      kind: 'inUse',
      message: expect.stringMatching(/another process has the data folder .* stop it first/),
    })
    await first.kill()
    mkdirSync(join(folder, 'mail.db.lock'))
    const store = await openSqliteStore({ path: folder, driver: 'wasm' })
    await store.close()
    expect(existsSync(join(folder, 'mail.db.lock'))).toBe(false)
  })

  it('goes to one of many who start at once, also over a dead owner', { timeout: 60_000 }, async () => {
    const script = await bundle('folder-child.ts')
    const folder = newFolder()
    for (let round = 0; round < 3; round++) {
      const children = Array.from({ length: 5 }, () => start(script, folder))
      const answers = await Promise.all(children.map(({ answer }) => answer))
      expect(answers.sort()).toEqual(['claimed', 'inUse', 'inUse', 'inUse', 'inUse'])
      await Promise.all(children.map((child) => child.kill()))
    }
  })

  it('does not take a plain file for a living owner', async () => {
    const folder = newFolder()
    if (process.platform === 'win32') return
    writeFileSync(join(folder, 'owner.sock'), '')
    await (await claimDataFolder(folder)).close()
  })
})

import { escapeControls } from '../core/index.js'
import type { Logger, LogLevel, LogValue } from '../interfaces/index.js'

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Writes each event as one line of JSON: `{"time":...,"level":...,"event":...}` and its fields. */
export function jsonLogger(write: (line: string) => void, least: LogLevel): Logger {
  return {
    log(level, event, fields) {
      if (levels.indexOf(level) < levels.indexOf(least)) return
      write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`)
    },
  }
}

/** Writes each event as one line for people: `12:00:00 info smtp.accepted from=... `. */
export function textLogger(write: (line: string) => void, least: LogLevel): Logger {
  return {
    log(level, event, fields) {
      if (levels.indexOf(level) < levels.indexOf(least)) return
      const time = new Date().toTimeString().slice(0, 8)
      const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${show(value)}`)
      write(`${time} ${level.padEnd(5)} ${event}${pairs.join('')}\n`)
    },
  }
}

function show(value: LogValue): string {
  const text = Array.isArray(value) ? value.join(',') : String(value)
  return /^[^\s"=]+$/.test(text) ? escapeControls(text) : JSON.stringify(text)
}

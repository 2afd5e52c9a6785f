export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/**
 * Where the library reports what it did. `event` is a stable name in dotted words (`smtp.accepted`, `auth.failed`);
 * `fields` are plain values. No password and no message body is ever in them.
 */
export interface Logger {
  log(level: LogLevel, event: string, fields: Readonly<Record<string, LogValue>>): void
}

export type LogValue = string | number | boolean | null | readonly string[]

/** Says nothing. */
export const silentLogger: Logger = { log: () => undefined }

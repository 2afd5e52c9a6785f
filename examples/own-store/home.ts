import { type MailboxId, type MailboxInfo, MailError, type SpecialUse } from 'mailwright'
import type { Box } from './box.js'
import { MAILBOXES, NAME_LEVELS, NAME_OCTETS } from './limits.js'

/** Where a name leads; a level that is only there for the names below it has no box. */
export interface Entry {
  readonly box: Box | null
  readonly specialUse: SpecialUse | null
}

/** The names of one user's mailboxes. */
export class Home {
  readonly entries: Map<string, Entry>
  readonly subscribed: Set<string>
  readonly watchers: Set<(mailbox: MailboxId) => void>

  constructor() {
    this.entries = new Map()
    this.subscribed = new Set()
    this.watchers = new Set()
  }

  info(name: string): MailboxInfo {
    const { box = null, specialUse = null } = this.entries.get(name) ?? {}
    const subscribed = this.subscribed.has(name)
    const hasChildren = this.below(name).length > 0
    return { id: box?.id ?? '', name, specialUse, subscribed, selectable: box !== null, hasChildren }
  }

  /** MailError `notFound`. */
  expectBox(name: string): Box {
    const box = this.entries.get(normalName(name))?.box
    if (box === undefined || box === null) throw new MailError('notFound', `no mailbox ${name}`)
    return box
  }

  /** MailError `limit` where a new name, with the levels above it, may be one too many. */
  expectRoom(): void {
    if (this.entries.size + NAME_LEVELS > MAILBOXES || this.subscribed.size >= MAILBOXES) {
      throw new MailError('limit', `a user has ${MAILBOXES} mailboxes at most`)
    }
  }

  below(name: string): string[] {
    return [...this.entries.keys()].filter((other) => other.startsWith(`${name}/`))
  }

  /** Levels that stand for nothing go with the last name below them. */
  prune(name: string): void {
    for (const level of levelsAbove(name).reverse()) {
      if (this.entries.get(level)?.box === null && this.below(level).length === 0) this.entries.delete(level)
    }
  }
}

/** The name as it is kept: NFC, and INBOX in capitals where it is the first level. */
export function normalName(name: string): string {
  return name.normalize('NFC').replace(/^inbox(?=\/|$)/i, 'INBOX')
}

/** The same; MailError `invalidName` for what cannot be the name of a mailbox. */
export function expectName(name: string): string {
  const normal = normalName(name)
  const levels = normal.split('/')
  const tooLong = levels.length > NAME_LEVELS || Buffer.byteLength(normal) > NAME_OCTETS
  if (tooLong || levels.includes('') || /^#|[\p{Cc}\p{Cs}\u2028\u2029]/u.test(normal)) {
    throw new MailError('invalidName', `not a name for a mailbox: ${JSON.stringify(name)}`)
  }
  return normal
}

/** `a` and `a/b` for `a/b/c`. */
export function levelsAbove(name: string): string[] {
  const levels = name.split('/')
  return levels.slice(1).map((_, index) => levels.slice(0, index + 1).join('/'))
}

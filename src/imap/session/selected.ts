import { isMailError } from '../../core/errors.js'
import type { Account, Flags, Mailbox, Snapshot } from '../../interfaces/index.js'
import {
  existsResponse,
  expungeResponse,
  fetchResponse,
  flagList,
  flagsResponse,
  permanentFlagsCode,
  recentResponse,
  untagged,
} from '../responses.js'
import type { SequenceSet } from '../sequence-set.js'
import { MailboxView } from '../view.js'

const SYSTEM_FLAGS: Flags = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft']

/** The mailbox that is selected was deleted, here or elsewhere. */
export class MailboxGone extends Error {
  constructor() {
    super('the selected mailbox was deleted')
    this.name = 'MailboxGone'
  }
}

/** The mailbox one session has selected: the store's mailbox, and what the client knows of it. */
export class Selected {
  readonly mailbox: Mailbox
  readonly view: MailboxView
  readonly uidNext: number
  /** Something may have happened since the last `sync`. */
  changed: boolean
  #since: number
  /** Messages from this UID on are recent, until the end of the first `sync`. */
  #recentFrom: number | null
  /** By their lower-case names. */
  readonly #keywords: Map<string, string>
  /** Arrays of flags that hold no keyword the client does not know. */
  readonly #seenFlags: WeakSet<Flags>
  #keywordsUntold: boolean

  private constructor(mailbox: Mailbox, snapshot: Snapshot, recentFrom: number) {
    this.mailbox = mailbox
    this.view = new MailboxView(snapshot)
    this.view.markRecent(recentFrom)
    this.uidNext = snapshot.uidNext
    this.changed = true
    this.#since = snapshot.highestModSeq
    this.#recentFrom = recentFrom
    this.#keywords = new Map()
    this.#seenFlags = new WeakSet()
    this.#addKeywords(snapshot.keywords)
    this.#keywordsUntold = false
  }

  /** Rejects with MailError as `Account.select` does. */
  static async open(account: Account, name: string, mode: 'read' | 'write'): Promise<Selected> {
    const mailbox = await account.select(name, mode)
    try {
      const snapshot = await mailbox.snapshot()
      return new Selected(mailbox, snapshot, await mailbox.claimRecent())
    } catch (error) {
      await mailbox.close()
      throw error
    }
  }

  get readOnly(): boolean {
    return this.mailbox.readOnly
  }

  /** `* FLAGS` and PERMANENTFLAGS (RFC 3501 section 7.2.6 and 7.1). */
  describeFlags(): string {
    const all = [...SYSTEM_FLAGS, ...this.#keywords.values()]
    const code = this.readOnly ? permanentFlagsCode([], false) : permanentFlagsCode(all, true)
    return flagsResponse(all) + untagged('OK', code, this.readOnly ? 'Read-only' : 'Flags kept')
  }

  /**
   * The UIDs a command's set means, without the messages that are gone and still have a number. `gone` says that
   * there were any. Null where the set holds a sequence number that is no message's (RFC 3501 section 9, seq-number).
   */
  resolve(set: SequenceSet, byUid: boolean): { readonly uids: number[]; readonly gone: boolean } | null {
    if (!byUid && !this.view.covers(set)) return null
    const all = this.view.resolve(set, byUid)
    const uids = all.filter((uid) => !this.view.isExpunged(uid))
    return { uids, gone: !byUid && uids.length < all.length }
  }

  /** Looks up what happened. Rejects with MailboxGone when the mailbox is not there any more. */
  async sync(): Promise<void> {
    this.changed = false
    try {
      await this.#readChanges()
    } catch (error) {
      this.changed = true
      if (isMailError(error) && error.kind === 'notFound') throw new MailboxGone()
      throw error
    }
  }

  async #readChanges(): Promise<void> {
    const { mailbox, view } = this
    for (;;) {
      const page = await mailbox.changes(this.#since)
      if (page === 'expired') {
        const snapshot = await mailbox.snapshot()
        view.noteSnapshot(snapshot)
        this.#addKeywords(snapshot.keywords)
        this.#since = snapshot.highestModSeq
        await this.#claimRecent()
        continue
      }
      for (const { flags } of page.added) this.learn(flags)
      for (const { flags } of page.flags) this.learn(flags)
      view.note(page)
      if (page.added.length > 0) await this.#claimRecent()
      if (page.upTo <= this.#since) break
      this.#since = page.upTo
    }
    this.#recentFrom = null
  }

  /** A message that comes between a claim and the next is recent by the first one. */
  async #claimRecent(): Promise<void> {
    const from = await this.mailbox.claimRecent()
    this.#recentFrom ??= from
    this.view.markRecent(this.#recentFrom)
  }

  /** Takes notice of keywords; new ones are told before any flags that hold them. */
  learn(flags: Flags): void {
    if (this.#seenFlags.has(flags)) return
    this.#seenFlags.add(flags)
    this.#addKeywords(flags)
  }

  #addKeywords(flags: Flags): void {
    for (const flag of flags) {
      if (flag.startsWith('\\') || this.#keywords.has(flag.toLowerCase())) continue
      this.#keywords.set(flag.toLowerCase(), flag)
      this.#keywordsUntold = true
    }
  }

  /** The responses that name keywords the client does not know yet, or nothing. */
  newKeywords(): string {
    if (!this.#keywordsUntold) return ''
    this.#keywordsUntold = false
    return this.describeFlags()
  }

  /** `(\Seen \Recent)` as FETCH tells the flags of a message in this session. */
  flagsText(uid: number, flags: Flags): string {
    return flagList(flags, this.view.isRecent(uid))
  }

  /** The responses that tell what `sync` found; from then on the view is what they say. */
  *news(expunges: boolean): Generator<string> {
    const keywords = this.newKeywords()
    if (keywords !== '') yield keywords
    for (const update of this.view.release({ expunges })) {
      switch (update.type) {
        case 'expunge':
          yield expungeResponse(update.seq)
          break
        case 'exists':
          yield existsResponse(update.count) + recentResponse(update.recent)
          break
        case 'flags':
          yield fetchResponse(update.seq, [`FLAGS ${this.flagsText(update.uid, update.flags)}`])
          break
      }
    }
  }
}

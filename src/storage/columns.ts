import type { Flags, Uids } from '../interfaces/index.js'

/** Messages of a chunk. A change copies no more than this, however many sessions hold the mailbox as it was. */
const CHUNK = 1_024

/** A run of messages in parallel arrays by ascending UID. */
interface Chunk {
  /** Younger than every snapshot that holds it, or to be copied before it is changed. */
  readonly epoch: number
  readonly uids: number[]
  readonly flags: Flags[]
  readonly modSeqs: number[]
  /** The mod-sequence each message came with; ascends, since UIDs and mod-sequences are given out together. */
  readonly created: number[]
  readonly sizes: number[]
  /** No message has a greater mod-sequence. */
  maxModSeq: number
}

/** Where a message stands; good until the next change. */
export interface Place {
  readonly chunk: Readonly<Chunk>
  readonly at: number
}

/** The arrays of a snapshot, joined when they are first asked for. */
export interface FrozenColumns {
  readonly uids: readonly number[]
  readonly flags: readonly Flags[]
  readonly modSeqs: readonly number[]
}

/** What is kept in memory of every message of a mailbox: the columns, in chunks that snapshots share. */
export class Columns {
  #chunks: Chunk[]
  #epoch: number
  #length: number

  constructor() {
    this.#chunks = []
    this.#epoch = 0
    this.#length = 0
  }

  get length(): number {
    return this.#length
  }

  get lastUid(): number {
    const chunk = this.#chunks[this.#chunks.length - 1]
    return chunk?.uids[chunk.uids.length - 1] ?? 0
  }

  /** Copies of everything, shared until either changes. */
  fork(): Columns {
    const copy = new Columns()
    copy.#chunks = this.#chunks.slice()
    copy.#length = this.#length
    copy.#epoch = ++this.#epoch
    return copy
  }

  /** The columns as they are now, for ever. */
  freeze(): FrozenColumns {
    this.#epoch++
    const chunks = this.#chunks.slice()
    let uids: number[] | null = null
    let flags: Flags[] | null = null
    let modSeqs: number[] | null = null
    return {
      get uids() {
        uids ??= ([] as number[]).concat(...chunks.map((chunk) => chunk.uids))
        return uids
      },
      get flags() {
        flags ??= ([] as Flags[]).concat(...chunks.map((chunk) => chunk.flags))
        return flags
      },
      get modSeqs() {
        modSeqs ??= ([] as number[]).concat(...chunks.map((chunk) => chunk.modSeqs))
        return modSeqs
      },
    }
  }

  find(uid: number): Place | null {
    const chunk = this.#chunks[this.#chunkFor(uid)]
    if (chunk === undefined) return null
    const at = lowerBound(chunk.uids, uid)
    return chunk.uids[at] === uid ? { chunk, at } : null
  }

  /** Visits the messages of ascending UIDs that are there, and tells those that are not. */
  walk(
    wanted: Uids,
    visit: (chunk: Readonly<Chunk>, at: number, index: number) => void,
    missing: (uid: number) => void = () => undefined,
  ): void {
    let index = 0
    let at = 0
    for (const uid of wanted) {
      if (this.#chunks[index]?.uids[at] !== uid) {
        index = this.#chunkFor(uid)
        at = lowerBound(this.#chunks[index]?.uids ?? [], uid)
      }
      const chunk = this.#chunks[index]
      if (chunk?.uids[at] !== uid) {
        missing(uid)
        continue
      }
      visit(chunk, at, index)
      if (++at === chunk.uids.length) {
        index++
        at = 0
      }
    }
  }

  /** UIDs whose mod-sequence is greater. */
  changedSince(modSeq: number): number[] {
    const uids: number[] = []
    for (const chunk of this.#chunks) {
      if (chunk.maxModSeq <= modSeq) continue
      for (let at = 0; at < chunk.uids.length; at++) {
        if ((chunk.modSeqs[at] as number) > modSeq) uids.push(chunk.uids[at] as number)
      }
    }
    return uids
  }

  /** The flags of every message, each set once. */
  flagSets(): Set<Flags> {
    const sets = new Set<Flags>()
    for (const chunk of this.#chunks) for (const flags of chunk.flags) sets.add(flags)
    return sets
  }

  /** Adds a message after all others. */
  push(uid: number, flags: Flags, modSeq: number, created: number, size: number): void {
    const last = this.#chunks.length - 1
    let chunk: Chunk
    if ((this.#chunks[last]?.uids.length ?? CHUNK) < CHUNK) {
      chunk = this.#own(last)
    } else {
      chunk = { epoch: this.#epoch, uids: [], flags: [], modSeqs: [], created: [], sizes: [], maxModSeq: 0 }
      this.#chunks.push(chunk)
    }
    chunk.uids.push(uid)
    chunk.flags.push(flags)
    chunk.modSeqs.push(modSeq)
    chunk.created.push(created)
    chunk.sizes.push(size)
    chunk.maxModSeq = Math.max(chunk.maxModSeq, modSeq)
    this.#length++
  }

  /** Takes away all but the first `length` messages. */
  truncate(length: number): void {
    while (this.#length > length) {
      const last = this.#chunks.length - 1
      const { uids } = this.#chunks[last] as Chunk
      const excess = this.#length - length
      if (uids.length <= excess) {
        this.#chunks.pop()
        this.#length -= uids.length
      } else {
        cut(this.#own(last), uids.length - excess)
        this.#length = length
      }
    }
  }

  /** Puts flags on the message at a place that `walk` gave. */
  mark(index: number, at: number, flags: Flags, modSeq: number): void {
    const chunk = this.#own(index)
    chunk.flags[at] = flags
    chunk.modSeqs[at] = modSeq
    chunk.maxModSeq = Math.max(chunk.maxModSeq, modSeq)
  }

  /** Removes messages that are there; ascending. */
  remove(gone: Uids): void {
    const byChunk = new Map<number, number[]>()
    this.walk(gone, (_, at, index) => {
      const places = byChunk.get(index)
      if (places === undefined) byChunk.set(index, [at])
      else places.push(at)
    })
    for (const [index, places] of byChunk) {
      this.#length -= places.length
      removeAt(this.#own(index), places)
    }
    this.#chunks = this.#chunks.filter(({ uids }) => uids.length > 0)
    if (this.#chunks.length > 16 + (4 * this.#length) / CHUNK) this.#pack()
  }

  /** Many small chunks become few whole ones. */
  #pack(): void {
    const packed = new Columns()
    packed.#epoch = this.#epoch
    for (const chunk of this.#chunks) {
      for (let at = 0; at < chunk.uids.length; at++) {
        packed.push(
          chunk.uids[at] as number,
          chunk.flags[at] as Flags,
          chunk.modSeqs[at] as number,
          chunk.created[at] as number,
          chunk.sizes[at] as number,
        )
      }
    }
    this.#chunks = packed.#chunks
  }

  /** The first chunk that reaches as far as the UID. */
  #chunkFor(uid: number): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { uids } = this.#chunks[middle] as Chunk
      if ((uids[uids.length - 1] as number) < uid) low = middle + 1
      else high = middle
    }
    return low
  }

  #own(index: number): Chunk {
    const chunk = this.#chunks[index] as Chunk
    if (chunk.epoch === this.#epoch) return chunk
    const copy: Chunk = {
      epoch: this.#epoch,
      uids: chunk.uids.slice(),
      flags: chunk.flags.slice(),
      modSeqs: chunk.modSeqs.slice(),
      created: chunk.created.slice(),
      sizes: chunk.sizes.slice(),
      maxModSeq: chunk.maxModSeq,
    }
    this.#chunks[index] = copy
    return copy
  }
}

function lowerBound(ascending: readonly number[], value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

function removeAt(chunk: Chunk, places: readonly number[]): void {
  let write = places[0] as number
  let next = 0
  for (let read = write; read < chunk.uids.length; read++) {
    if (read === places[next]) {
      next++
      continue
    }
    chunk.uids[write] = chunk.uids[read] as number
    chunk.flags[write] = chunk.flags[read] as Flags
    chunk.modSeqs[write] = chunk.modSeqs[read] as number
    chunk.created[write] = chunk.created[read] as number
    chunk.sizes[write] = chunk.sizes[read] as number
    write++
  }
  cut(chunk, write)
}

function cut(chunk: Chunk, length: number): void {
  chunk.uids.length = length
  chunk.flags.length = length
  chunk.modSeqs.length = length
  chunk.created.length = length
  chunk.sizes.length = length
}

import { isAscii } from 'node:buffer'
import { DotReader } from '../../../core/dot-reader.js'
import type { Headers } from '../../../mime/headers.js'
import type { ScannedPart } from '../../../mime/scanner.js'
import { isIdentity } from '../../../mime/transfer-encoding.js'
import { LeafOctets } from './leaf-octets.js'
import type { WalkEvent } from './message-walk.js'

/** What a message is to become: valid for a peer without 8BITMIME, or for one with it and without BINARYMIME. */
export type Target = '7BIT' | '8BITMIME'

/** How one part goes out where it does not as it stands. */
export interface PartChange {
  /** Its body, a leaf's, gets this encoding; null where only its header changes. */
  encode: 'quoted-printable' | 'base64' | null
  /** What Content-Transfer-Encoding is to say; null where it stays as it is. */
  label: string | null
  /** The header of a message lacks MIME-Version, without which nobody need look at an encoding (RFC 2045 section 4). */
  mimeVersion: boolean
}

/** The changes, by the part's index. */
export type Changes = ReadonlyMap<number, PartChange>

interface Open {
  readonly part: ScannedPart
  /** It stands within a multipart/signed: each of its octets is signed (RFC 1847 section 2.1). */
  readonly signed: boolean
  /** Its header block is whole: one that is not cannot be given a field. */
  readonly whole: boolean
  /** The message it belongs to. */
  readonly root: { readonly index: number; readonly versioned: boolean }
  readonly octets: LeafOctets | null
}

/**
 * Decides, from one reading of a message, what has to change in it so that it may go to a peer that takes less
 * (RFC 6152 section 3, RFC 3030 section 3), or why that cannot be: it must lose nothing, and no signature may break.
 */
export class DowngradePlan {
  readonly changes: Map<number, PartChange>
  /** Why the message cannot be made to fit, in words that follow `the message`; null when it can. */
  problem: string | null
  readonly #target: Target
  /** Nothing has made CRLF of its line ends, and nothing will. */
  readonly #binary: boolean
  readonly #open: Open[]
  /** Of a binary message, all that is no body. */
  readonly #structure: DotReader

  constructor(target: Target, binary: boolean) {
    this.changes = new Map()
    this.problem = null
    this.#target = target
    this.#binary = binary
    this.#open = []
    this.#structure = new DotReader({ stuffed: false })
  }

  read(event: WalkEvent): void {
    switch (event.type) {
      case 'begin':
        this.#begin(event.part, event.headers, event.block)
        return
      case 'body':
        this.#open.at(-1)?.octets?.read(event.data)
        return
      case 'end': {
        const open = this.#open.pop()
        if (open?.octets) this.#endLeaf(open, open.octets)
        return
      }
      case 'between':
        this.#look(event.data, 'holds 8-bit octets outside of its parts')
    }
  }

  #begin(part: ScannedPart, headers: Headers, block: Buffer): void {
    this.#look(block, 'holds 8-bit octets in a header')
    const outer = this.#open.at(-1)
    const isRoot = outer === undefined || outer.part.kind === 'message'
    const open: Open = {
      part,
      signed: outer !== undefined && (outer.signed || isSigned(outer.part)),
      whole: headers.terminated,
      root: isRoot ? { index: part.index, versioned: headers.has('mime-version') } : outer.root,
      octets: part.kind === 'leaf' ? new LeafOctets() : null,
    }
    this.#open.push(open)
    if (part.kind !== 'leaf' && isIdentity(part.encoding) && open.whole) {
      this.#relabel(open, this.#target === '7BIT' ? '7bit' : '8bit')
    }
  }

  /** What stands outside of bodies cannot be encoded. */
  #look(octets: Buffer, problem: string): void {
    if (this.#target === '7BIT' && !isAscii(octets)) this.problem ??= problem
    if (!this.#binary) return
    this.#structure.read(octets)
    const { bareCr, bareLf, nul } = this.#structure
    if (bareCr || bareLf || nul) this.problem ??= 'is binary outside of its parts'
  }

  #endLeaf(open: Open, octets: LeafOctets): void {
    octets.end()
    const { encoding, contentType, index } = open.part
    const linesMatter = this.#binary || encoding === 'binary'
    const fits =
      (this.#target === '8BITMIME' || !octets.eightBit) &&
      (!linesMatter || octets.inLines || !isIdentity(encoding))
    if (fits) {
      if (isIdentity(encoding) && open.whole) this.#relabel(open, octets.eightBit ? '8bit' : '7bit')
      return
    }
    const what = octets.eightBit && this.#target === '7BIT' ? '8-bit octets' : 'binary octets'
    if (open.signed) this.problem ??= `holds ${what} that are signed`
    else if (!isIdentity(encoding)) this.problem ??= `holds ${what} in a part that is encoded already`
    else if (contentType.type === 'message' || contentType.type === 'multipart') {
      this.problem ??= `holds ${what} in a message or multipart that must not be encoded`
    } else if (!open.whole) this.problem ??= `holds ${what} in a part without a proper header`
    else {
      const encode = octets.encoding(contentType.type === 'text')
      this.changes.set(index, { encode, label: encode, mimeVersion: false })
      this.#version(open.root)
    }
  }

  /** The label of a part whose octets stay: only one that says too much has to change. */
  #relabel({ part, signed }: Open, label: '7bit' | '8bit'): void {
    const tooMuch = part.encoding === 'binary' || (part.encoding === '8bit' && this.#target === '7BIT')
    if (tooMuch && !signed) this.changes.set(part.index, { encode: null, label, mimeVersion: false })
  }

  #version({ index, versioned }: Open['root']): void {
    if (versioned) return
    const change = this.changes.get(index)
    if (change === undefined) this.changes.set(index, { encode: null, label: null, mimeVersion: true })
    else change.mimeVersion = true
  }
}

function isSigned({ contentType: { type, subtype } }: ScannedPart): boolean {
  return type === 'multipart' && subtype === 'signed'
}

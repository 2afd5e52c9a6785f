/** A file of messages. Errors are those of node:fs. */
export interface MessageFile {
  /** Writes all of the pieces, one after another from `at` on; what lies between is zeros. */
  write(pieces: readonly Uint8Array[], at: number): Promise<void>
  /** The same, before it returns: for what is short. */
  writeNow(pieces: readonly Uint8Array[], at: number): void
  /** Reads into the buffer; how many octets there were, fewer than it has room for only at the file's end. */
  read(into: Uint8Array, at: number): Promise<number>
  /** How many octets it has. */
  size(): Promise<number>
  truncate(size: number): Promise<void>
  /** Resolves when all that has been written is on the disk, and the file itself where it is new. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Where files of messages are kept, by their numbers: a folder, or memory. */
export interface MessageFiles {
  /** The numbers of the files that are there. */
  list(): Promise<readonly number[]>
  create(number: number): Promise<MessageFile>
  /** To be read, or synced. Rejects with code `ENOENT` where there is no such file. */
  open(number: number): Promise<MessageFile>
  /** Of a file that nobody has open; does nothing where there is none. */
  remove(number: number): Promise<void>
}

/** What the benchmark uses of a CommonJS package that declares no types. */
declare module 'emailjs-mime-parser' {
  interface Node {
    readonly content?: Uint8Array
    readonly childNodes: readonly Node[]
  }
  const module: { default(message: string): Node }
  export = module
}

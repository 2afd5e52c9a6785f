/** As far as it is needed here; the type declarations of Node.js leave it out. */
interface Assembly {
  readonly Module: new (program: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** A function over a memory of its own, `OCTET_MEMORY` octets, where it finds what it looks at. */
export interface OctetProgram {
  readonly memory: Uint8Array
  readonly run: (end: number) => number
}

export const OCTET_MEMORY = 65_536

/**
 * Makes a WebAssembly function `(param i32) (result i32)` with so many locals of type i32 and v128 of its instructions;
 * the final `end` is not among them. Null where this process has no WebAssembly, or no SIMD.
 */
export function octetProgram(
  numbers: number,
  vectors: number,
  instructions: readonly number[],
): OctetProgram | null {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: Assembly }
  if (WebAssembly === undefined) return null
  const body = [2, numbers, 0x7f, vectors, 0x7b, ...instructions, 0x0b] // the locals, the code, end
  const program = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // WebAssembly, version 1
    ...[1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f], // types: i32 -> i32
    ...[3, 2, 1, 0], // functions: one of that type
    ...[5, 3, 1, 0, 1], // memory: one page of 64 KiB
    ...[7, 9, 2, 1, 0x6d, 2, 0, 1, 0x66, 0, 0], // exports: memory "m", function "f"
    ...[10, ...leb(body.length + 1 + leb(body.length).length), 1, ...leb(body.length), ...body], // code
  ])
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program))
    const { m, f } = exports as {
      readonly m: { readonly buffer: ArrayBuffer }
      readonly f: (end: number) => number
    }
    return { memory: new Uint8Array(m.buffer), run: f }
  } catch {
    return null
  }
}

/** An unsigned number of up to two octets as WebAssembly writes it. */
function leb(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7]
}

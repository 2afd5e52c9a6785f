/** As much of DER (X.690) as a self-signed certificate needs: lengths are always definite and minimal. */
function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  let header: number[]
  if (length < 0x80) header = [tag, length]
  else if (length < 0x100) header = [tag, 0x81, length]
  else header = [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(header), content])
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(items))
}

export function set(...items: readonly Uint8Array[]): Buffer {
  return element(0x31, Buffer.concat(items))
}

/** A context-specific tag around its content; `constructed` where the content is elements itself. */
export function tagged(number: number, content: Uint8Array, constructed: boolean): Buffer {
  return element((constructed ? 0xa0 : 0x80) | number, content)
}

/** An INTEGER of unsigned big-endian octets. */
export function unsigned(octets: Uint8Array): Buffer {
  let start = 0
  while (start < octets.length - 1 && octets[start] === 0) start++
  const magnitude = octets.subarray(start)
  const sign = (magnitude[0] ?? 0) & 0x80 ? Buffer.from([0]) : Buffer.alloc(0)
  return element(0x02, Buffer.concat([sign, magnitude]))
}

/** `dotted` as in `2.5.29.17`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    octets.push(...groups)
  }
  return element(0x06, Buffer.from(octets))
}

export function utf8String(text: string): Buffer {
  return element(0x0c, Buffer.from(text, 'utf8'))
}

export function octetString(content: Uint8Array): Buffer {
  return element(0x04, content)
}

/** A BIT STRING of whole octets but for `unused` bits at its end. */
export function bitString(content: Uint8Array, unused = 0): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([unused]), content]))
}

export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.from([value ? 0xff : 0]))
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  const utc = date.getUTCFullYear() < 2050
  return element(utc ? 0x17 : 0x18, Buffer.from(utc ? digits.slice(2) : digits, 'latin1'))
}

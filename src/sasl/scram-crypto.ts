import { createHmac, randomBytes } from 'node:crypto'

/** RFC 5802 section 7: `nonce`, with as many random bits as a key of AES-128 and some more. */
export function randomNonce(): string {
  return randomBytes(18).toString('base64')
}

/** RFC 5802 section 2.2: `HMAC()` of SCRAM-SHA-256 (RFC 7677), of a message of UTF-8. */
export function hmac(key: Uint8Array, message: string): Buffer {
  return createHmac('sha256', key).update(message, 'utf8').digest()
}

/** RFC 5802 section 2.2: `XOR` of two strings of one length. */
export function xor(left: Uint8Array, right: Uint8Array): Buffer {
  return Buffer.from(left.map((octet, index) => octet ^ (right[index] as number)))
}

const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/

/**
 * The octets that xtext stands for, one a character, or null when it is malformed or stands for a control character,
 * with which a value could break out of the line it is written to.
 *
 *     xtext   = *( xchar / hexchar )          ; RFC 3461 section 4
 *     xchar   = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
 *     hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits
 */
export function decodeXtext(text: string): string | null {
  if (!XTEXT.test(text)) return null
  const decoded = text.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return /[\x00-\x1f\x7f]/.test(decoded) ? null : decoded
}

/** The text as xtext; characters above 255 cannot be written and throw RangeError. */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]/gu, (character) => {
    const code = character.codePointAt(0) as number
    if (code > 255) throw new RangeError('xtext holds one octet a character')
    return `+${code.toString(16).toUpperCase().padStart(2, '0')}`
  })
}

/**
 * The address of an ORCPT of type utf-8, or null when it is malformed: characters above 127 stand as themselves
 * (utf-8-addr-unitext) or as `\x{...}` with their number (utf-8-addr-xtext).
 *
 *     utf-8-addr-xtext     = 1*(QCHAR / EmbeddedUnicodeChar)     ; RFC 6533 section 3
 *     EmbeddedUnicodeChar  = %x5C.78 "{" HEXPOINT "}"
 */
export function decodeUtf8Address(text: string): string | null {
  if (!/^(?:[!-*,-<>-[\]-~]|[^\0-\x9f]|\\x\{[0-9A-F]{2,6}\})+$/u.test(text)) return null
  const decoded = text.replace(/\\x\{([0-9A-F]+)\}/g, (_, hex: string) => {
    const code = Number.parseInt(hex, 16)
    return code > 0x10ffff ? '\0' : String.fromCodePoint(code)
  })
  return /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(decoded) ? null : decoded
}

/**
 * The address as it stands in ORCPT of type utf-8: with `unitext` characters above 127 stand as themselves, for a session
 * with SMTPUTF8 (utf-8-addr-unitext), and without as their numbers (utf-8-addr-xtext). The inverse of `decodeUtf8Address`.
 */
export function encodeUtf8Address(address: string, unitext: boolean): string {
  const special = unitext ? /[\0-\x20+=\\\x7f]/g : /[\0-\x20+=\\]|[^\0-\x7e]/gu
  return address.replace(special, (character) => {
    const code = character.codePointAt(0) as number
    return `\\x{${code.toString(16).toUpperCase().padStart(2, '0')}}`
  })
}

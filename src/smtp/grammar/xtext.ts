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

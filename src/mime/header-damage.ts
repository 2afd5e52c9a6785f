import type { Defect } from './defects.js'

/** What is wrong with the octets of a header block that is not regular; offsets count from its start. */
export function headerDamage(raw: string): Defect[] {
  const lf = raw.indexOf('\n')
  const found: Defect[] = [
    { code: 'bareCr', offset: raw.search(/\r(?!\n)/) },
    { code: 'lineEndsMixed', offset: raw.search(raw[lf - 1] === '\r' ? /(?<!\r)\n/ : /\r\n/) },
    { code: 'nul', offset: raw.indexOf('\0') },
  ]
  return found.filter(({ offset }) => offset !== -1)
}

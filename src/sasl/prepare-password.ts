/** Characters; more than anyone types, and little enough to hash for a stranger. */
const LONGEST_PASSWORD = 1024

/** RFC 3454 table C.1.2: spaces other than the ASCII one. */
const otherSpaces = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g

/** RFC 3454 table B.1: commonly mapped to nothing. */
const mappedToNothing = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|\ufeff|[\ufe00-\ufe0f]/g

/** RFC 4013 section 2.3, by Unicode property: controls, surrogates, private use, noncharacters and what changes the display. */
const prohibited =
  /[\p{Cc}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}\u2028\u2029\u200e\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffd]/u

/**
 * A password in the form that is hashed: SASLprep (RFC 4013) mapping, normalisation (NFKC) and prohibited output.
 * Its bidirectional check and its table of code points unassigned in Unicode 3.2 are left out: they would refuse
 * passwords that people have today. Null for a password that cannot be: empty, over 1,024 characters, or with a
 * prohibited character.
 */
export function preparePassword(password: string): string | null {
  if (password.length > LONGEST_PASSWORD) return null
  const prepared = password.replace(otherSpaces, ' ').replace(mappedToNothing, '').normalize('NFKC')
  return prepared === '' || prohibited.test(prepared) ? null : prepared
}

export { BodyCanonicalizer } from './canonical-body.js'
export type { Canonicalization } from './canonical-header.js'
export { canonicalField, signedFields } from './canonical-header.js'

import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

const LARGEST_LIMIT = 999_999

/** What adds no parameter to MAIL and RCPT. */
function keyword(offer: Extension['offer']): Extension {
  return { offer }
}

/** RFC 2920. */
export const pipelining = keyword(() => ['PIPELINING'])

/** RFC 3030: BDAT. */
export const chunking = keyword(({ options }) => (options.chunking ? ['CHUNKING'] : NOTHING))

/** RFC 2034. */
export const enhancedStatusCodes = keyword(() => ['ENHANCEDSTATUSCODES'])

/** RFC 3207. */
export const startTls = keyword(({ options, secure }) =>
  options.startTls && !secure ? ['STARTTLS'] : NOTHING,
)

/**
 * RFC 9422: what a client would otherwise learn from a refusal.
 *
 *     limits-param = limit-name "=" %x31-39 0*5DIGIT
 */
export const limits = keyword(({ options: { limits } }) => {
  const mail = limits.messages > LARGEST_LIMIT ? '' : ` MAILMAX=${limits.messages}`
  const rcpt = limits.recipients > LARGEST_LIMIT ? '' : ` RCPTMAX=${limits.recipients}`
  return mail === '' && rcpt === '' ? NOTHING : [`LIMITS${mail}${rcpt}`]
})

/** RFC 5321 section 4.1.1.7 and RFC 1985: verbs that the host answers. */
export const hostVerbs = keyword(({ options: { verbs } }) =>
  verbs.filter((verb) => verb === 'EXPN' || verb === 'ETRN'),
)

/** Postfix's XCLIENT and XFORWARD, for a client that is trusted. */
export const xclient = keyword(({ options }) =>
  options.xclient ? ['XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT'] : NOTHING,
)
export const xforward = keyword(({ options }) =>
  options.xforward ? ['XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE'] : NOTHING,
)

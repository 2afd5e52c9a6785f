import type { X509Certificate } from 'node:crypto'

/** What a domain says of its servers by MTA-STS (RFC 8461 section 3.2). */
export interface MtaStsPolicy {
  /** `enforce`: a server that does not fit is not used; `testing`: it is used all the same; `none`: there is no policy. */
  readonly mode: 'enforce' | 'testing' | 'none'
  /** Host names, or `*.` and a domain for every name of one label more. */
  readonly mx: readonly string[]
  /** Seconds the policy may be kept. */
  readonly maxAge: number
}

/** Octets of a policy that are looked at; RFC 8461 section 3.3 suggests this. */
const LONGEST = 65_536
const OLDEST = 31_557_600

/**
 * Reads the text of a policy; null where it is none.
 *
 *     sts-policy-record = sts-policy-field *WSP *( sts-policy-term sts-policy-field *WSP ) [ sts-policy-term ]
 */
export function parseMtaStsPolicy(text: string): MtaStsPolicy | null {
  if (text.length > LONGEST) return null
  const fields = new Map<string, string>()
  const mx: string[] = []
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ''] = /^([A-Za-z0-9][\w.-]{0,31}):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined) {
      if (line.trim() !== '') return null
    } else if (name === 'mx') mx.push(value)
    else if (!fields.has(name)) fields.set(name, value)
  }
  const mode = fields.get('mode')
  const maxAge = fields.get('max_age') ?? ''
  const hosts = mx.every((each) => /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(each))
  if (fields.get('version') !== 'STSv1' || !/^\d{1,10}$/.test(maxAge) || !hosts) return null
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return null
  if (mode !== 'none' && mx.length === 0) return null
  return { mode, mx, maxAge: Math.min(Number(maxAge), OLDEST) }
}

/** True where the policy names the host (RFC 8461 section 4.1): `*` stands for one label, the first. */
export function isMtaStsHost(policy: MtaStsPolicy, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  const parent = name.includes('.') ? name.slice(name.indexOf('.')) : null
  return policy.mx.some((each) => {
    const pattern = each.toLowerCase()
    return pattern.startsWith('*.') ? pattern.slice(1) === parent : pattern === name
  })
}

/**
 * Why a server does not fit the policy (RFC 8461 sections 4.1 and 4.2), or null: the policy must name it, and its
 * certificate must be `trusted` and have the host's name among its DNS names.
 */
export function checkMtaSts(
  policy: MtaStsPolicy,
  host: string,
  peer: {
    readonly trusted: boolean
    readonly problem: string | null
    readonly chain: readonly X509Certificate[]
  },
): string | null {
  if (!isMtaStsHost(policy, host)) return `the MTA-STS policy does not name ${host}`
  if (!peer.trusted) return peer.problem ?? 'the certificate is not trusted'
  const named = peer.chain[0]?.checkHost(host, { subject: 'never' }) !== undefined
  return named ? null : `the certificate is not for ${host}`
}

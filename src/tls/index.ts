export type { CertificatePair } from './development-certificate.js'
export { createDevelopmentCertificate } from './development-certificate.js'
export type { ServerContextOptions } from './server-context.js'
export { TlsServerContext } from './server-context.js'

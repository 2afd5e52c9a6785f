/** The part of the package that is used; it brings no declarations of its own. */
declare module 'punycode/punycode.js' {
  const punycode: {
    /** A domain name with each label that is not ASCII as `xn--` and its Punycode (RFC 3492). */
    toASCII(domain: string): string
  }
  export = punycode
}

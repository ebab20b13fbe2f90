/** How a connection is encrypted. Naming it at all means that nothing goes unencrypted. */
export interface TlsOptions {
  /** PEM file of the authority that signed the server's certificate. Default those that Node knows. */
  readonly ca?: string
  /** PEM files of the client's own certificate and its key. */
  readonly cert?: string
  readonly key?: string
  /** Whether the server's certificate and name are checked. Default true. */
  readonly verify?: boolean
}

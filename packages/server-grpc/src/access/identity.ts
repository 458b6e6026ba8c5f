/** An authenticated caller. */
export interface Identity {
  readonly principal: string;
  /** Expiry of the credentials, in ms since the epoch. */
  readonly expiresAt?: number | undefined;
}

/** The credentials of a call. */
export interface Credentials {
  /** Values of the `authorization` metadata. */
  readonly authorization: readonly string[];
  readonly certificate: CertificateFields | undefined;
}

/** The fields in use of a client's verified certificate. */
export interface CertificateFields {
  readonly subject: { readonly CN?: string | string[] | undefined };
  /** "DNS:a.example, URI:spiffe://…", in Node's format. */
  readonly subjectaltname?: string | undefined;
  /** In Node's format: "Nov 25 12:00:00 2026 GMT". */
  readonly valid_to: string;
}

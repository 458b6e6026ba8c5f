/** Who calls, as far as it was proved. */
export interface Identity {
  readonly principal: string;
  /** When the proof ends, ms since the epoch. */
  readonly expiresAt?: number | undefined;
}

/** What a call brings along to prove it. */
export interface Credentials {
  /** Values of the `authorization` metadata. */
  readonly authorization: readonly string[];
  readonly certificate: CertificateFields | undefined;
}

/** What of a client's verified certificate is looked at. */
export interface CertificateFields {
  readonly subject: { readonly CN?: string | string[] | undefined };
  /** "DNS:a.example, URI:spiffe://…", as Node writes it. */
  readonly subjectaltname?: string | undefined;
  /** As Node writes it: "Nov 25 12:00:00 2026 GMT". */
  readonly valid_to: string;
}

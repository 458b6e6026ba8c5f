/**
 * The options of TLS: in a file of their own, so that the declarations of what is published need no
 * types of Node.
 */
import { nested, nonEmptyString, oneOf, required } from "@logstore/codec";

/**
 * The server's certificate, and the client certificates that it accepts. The files are reloaded
 * when they change.
 */
export interface ServerTlsOptions {
  /**
   * PEM file with the server's certificate, followed by the intermediate certificates of its CA.
   */
  readonly certFile: string;
  /** PEM file with its private key, unencrypted. */
  readonly keyFile: string;
  /** PEM file with the CAs of accepted client certificates. */
  readonly clientCaFile?: string | undefined;
  /**
   * Whether clients are asked for a certificate, and whether they must have one. Default "none".
   */
  readonly clientCertificates?: "none" | "optional" | "required" | undefined;
}

export const tlsRule = nested<ServerTlsOptions>({
  certFile: required(nonEmptyString),
  keyFile: required(nonEmptyString),
  clientCaFile: nonEmptyString,
  clientCertificates: oneOf("none", "optional", "required"),
});

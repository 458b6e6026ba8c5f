/** A self-signed certificate for localhost, created for this run with the openssl command. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export function makeCertificate(directory: string): Certificate {
  const [certFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...key, "-out", certFile, "-days", "1", ...names], { stdio: "ignore" });
  return { certFile, keyFile };
}

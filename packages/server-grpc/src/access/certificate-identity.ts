import { UnauthenticatedError } from "@logstore/codec";
import { type CertificateName, isPrincipal } from "./access-config.js";
import type { CertificateFields, Identity } from "./identity.js";

/**
 * Returns the identity in a verified certificate.
 *
 * @throws UnauthenticatedError if the certificate has no such name, or more than one
 */
export function certificateIdentity(certificate: CertificateFields, name: CertificateName): Identity {
  const found = name === "commonName" ? commonNames(certificate) : alternativeNames(certificate, name);
  const [principal] = found;
  if (found.length !== 1 || !isPrincipal(principal)) {
    throw new UnauthenticatedError(`the client certificate names no principal: it needs one ${name}`);
  }
  return { principal, expiresAt: Date.parse(certificate.valid_to) };
}

function commonNames({ subject }: CertificateFields): string[] {
  return subject.CN === undefined ? [] : [subject.CN].flat();
}

/**
 * Node encodes a name with special characters as a JSON string that contains no comma, so that one
 * name cannot pass for two.
 */
function alternativeNames({ subjectaltname = "" }: CertificateFields, kind: "uri" | "dns"): string[] {
  const names: string[] = [];
  for (const entry of subjectaltname.split(", ")) {
    const [type, ...rest] = entry.split(":");
    const name = rest.join(":");
    if (type?.toLowerCase() === kind) names.push(name.startsWith('"') ? JSON.parse(name) : name);
  }
  return names;
}

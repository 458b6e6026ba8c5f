/** Certificates for tests, created as needed with a library, because Node cannot issue any. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import selfsigned, { type SubjectAltNameEntry } from "selfsigned";

const DAY_MS = 86_400_000;

/** As PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface LeafOptions {
  /** Default: tomorrow. Every certificate is valid from the day before yesterday. */
  readonly notAfter?: Date;
  /** Default: the loopback addresses. */
  readonly names?: readonly SubjectAltNameEntry[];
}

export class CertificateAuthority {
  readonly #pair: KeyPair;

  private constructor(pair: KeyPair) {
    this.#pair = pair;
  }

  static async create(name = "Test CA"): Promise<CertificateAuthority> {
    const { cert, private: key } = await selfsigned.generate([{ name: "commonName", value: name }], {
      ...common(),
      extensions: [{ name: "basicConstraints", cA: true, critical: true }],
    });
    return new CertificateAuthority({ cert, key });
  }

  /** A self-signed certificate. */
  static async selfSigned(commonName: string): Promise<KeyPair> {
    const { cert, private: key } = await selfsigned.generate([{ name: "commonName", value: commonName }], common());
    return { cert, key };
  }

  get cert(): string {
    return this.#pair.cert;
  }

  /** A certificate with the given common names, of which there may be none or several. */
  async issue(commonNames: readonly string[], options: LeafOptions = {}): Promise<KeyPair> {
    const subject = commonNames.map((value) => ({ name: "commonName", value }));
    const { cert, private: key } = await selfsigned.generate(
      [...subject, { name: "organizationName", value: "Test" }],
      {
        ...common(options.notAfter),
        ca: this.#pair,
        extensions: [{ name: "subjectAltName", altNames: [...(options.names ?? loopback)] }],
      },
    );
    return { cert, key };
  }
}

function common(notAfterDate = new Date(Date.now() + DAY_MS)) {
  return {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: new Date(Date.now() - 2 * DAY_MS),
    notAfterDate,
  } as const;
}

const loopback: readonly SubjectAltNameEntry[] = [
  { type: 2, value: "localhost" },
  { type: 7, ip: "127.0.0.1" },
];

/** A directory with these files, until `remove` is called. */
export async function directoryWith(files: Readonly<Record<string, string>>) {
  const directory = await mkdtemp(join(tmpdir(), "logstore-tls-"));
  const path = (name: string) => join(directory, name);
  const write = (name: string, content: string) => writeFile(path(name), content);
  for (const [name, content] of Object.entries(files)) await write(name, content);
  return { path, write, remove: () => rm(directory, { recursive: true, force: true }) };
}

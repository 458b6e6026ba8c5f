/**
 * The PEM files of TLS: read, validated, and watched, so that a certificate can be renewed without
 * a restart. Files that do not match are refused as a whole, and the previous ones stay in effect.
 */
import { X509Certificate } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { callAll, InvalidArgumentError, startTimer, type Timer } from "@logstore/codec";
import type { ServerTlsOptions } from "./tls-options.js";

/** The contents of the files. */
export type TlsMaterial = Pick<SecureContextOptions, "cert" | "key" | "ca">;

export interface Renewal {
  readonly material: TlsMaterial;
  readonly newClientCa: boolean;
}

/** A renewal changes several files: they are read this long after the first change, in ms. */
const SETTLE_MS = 200;

export class TlsFiles {
  readonly options: ServerTlsOptions;
  #material: TlsMaterial;
  #reloading: Promise<unknown> = Promise.resolve();
  readonly #watchers: FSWatcher[] = [];
  #timer: Timer | undefined;

  private constructor(options: ServerTlsOptions, material: TlsMaterial) {
    this.options = options;
    this.#material = material;
  }

  /** @throws InvalidArgumentError if a file cannot be read or does not match the others */
  static async load(options: ServerTlsOptions): Promise<TlsFiles> {
    return new TlsFiles(options, await readMaterial(options));
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /**
   * Reloads the files. Resolves to the changes, if there are any.
   *
   * @throws InvalidArgumentError like `load`; then nothing changes
   */
  reload(): Promise<Renewal | undefined> {
    // One after the other: otherwise the result of an older read could take effect last.
    const renewal = this.#reloading.then(() => this.#reload());
    this.#reloading = renewal.catch(() => {});
    return renewal;
  }

  async #reload(): Promise<Renewal | undefined> {
    const before = this.#material;
    const material = await readMaterial(this.options);
    const same = (name: keyof TlsMaterial) => String(material[name]) === String(before[name]);
    if (same("cert") && same("key") && same("ca")) return undefined;
    this.#material = material;
    return { material, newClientCa: !same("ca") };
  }

  /**
   * Calls `onChange` after changes in the directories of the files. The directories are watched
   * because a renewal replaces files, or a link that leads to them.
   */
  watch(onChange: () => void, onTrouble: (error: unknown) => void): void {
    const { certFile, keyFile, clientCaFile = certFile } = this.options;
    const settled = () => {
      this.#timer = undefined;
      onChange();
    };
    const changed = () => {
      // Not postponed by further changes in the directory, which may never cease.
      this.#timer ??= startTimer(SETTLE_MS, settled, { keepsAlive: false });
    };
    for (const directory of new Set([certFile, keyFile, clientCaFile].map((file) => dirname(file)))) {
      try {
        this.#watchers.push(watch(directory, { persistent: false }, changed).on("error", onTrouble));
      } catch (error) {
        onTrouble(error);
      }
    }
  }

  close(): void {
    this.#timer?.cancel();
    callAll(this.#watchers.splice(0).map((watcher) => () => watcher.close()));
  }
}

async function readMaterial({ certFile, keyFile, clientCaFile, ...options }: ServerTlsOptions): Promise<TlsMaterial> {
  const { clientCertificates = "none" } = options;
  if (clientCertificates !== "none" && clientCaFile === undefined) {
    throw new InvalidArgumentError("tls.clientCertificates requires tls.clientCaFile, the CAs that are trusted");
  }
  // One after the other: of several files that cannot be read, the first one is always reported.
  const cert = await read("tls.certFile", certFile);
  const key = await read("tls.keyFile", keyFile);
  const ca =
    clientCertificates === "none" || clientCaFile === undefined
      ? undefined
      : await read("tls.clientCaFile", clientCaFile);
  checkCertificates("tls.certFile", certFile, cert);
  // If it contained no certificate, Node's built-in CAs would be trusted instead.
  if (ca !== undefined) checkCertificates("tls.clientCaFile", clientCaFile!, ca);
  const material = { cert, key, ...(ca !== undefined && { ca }) };
  try {
    createSecureContext(material);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new InvalidArgumentError(`tls.certFile ${certFile} and tls.keyFile ${keyFile}: ${why}`, {}, { cause });
  }
  return material;
}

async function read(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new InvalidArgumentError(`${option}: ${(cause as Error).message}`, { file }, { cause });
  }
}

function checkCertificates(option: string, file: string, pem: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new InvalidArgumentError(`${option}: ${file} contains no certificate`, { file });
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      const why = (cause as Error).message;
      throw new InvalidArgumentError(`${option}: ${file} contains a damaged certificate: ${why}`, { file }, { cause });
    }
  }
}

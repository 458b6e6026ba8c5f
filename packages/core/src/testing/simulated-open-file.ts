/**
 * An open file of the simulated disk. It stays valid when its name is removed, as on Unix, but not
 * when it is closed or the machine stops.
 */
import type { FileAccess, FileHold, StorageFile } from "../storage/storage.js";
import type { Call, CallKind } from "./calls.js";
import { diskError } from "./disk-errors.js";
import type { Fault } from "./faults.js";
import type { Machine } from "./machine.js";
import type { SimulatedFile } from "./simulated-file.js";

export class SimulatedOpenFile implements StorageFile {
  readonly #machine: Machine;
  readonly #file: SimulatedFile;
  readonly #path: string;
  readonly #access: FileAccess;
  readonly #closed: () => void;
  #isOpen = true;

  constructor(machine: Machine, file: SimulatedFile, path: string, access: FileAccess, closed: () => void) {
    this.#machine = machine;
    this.#file = file;
    this.#path = path;
    this.#access = access;
    this.#closed = closed;
  }

  async size(): Promise<number> {
    this.#begin("size");
    return this.#file.size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#begin("read");
    return this.#file.read(into, position);
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    await this.#machine.midway(this.#write(buffers, position));
  }

  writeNow(buffers: readonly Uint8Array[], position: number): boolean {
    if (!this.#machine.writesNow) return false;
    this.#machine.midwayNow(this.#write(buffers, position));
    return true;
  }

  #write(buffers: readonly Uint8Array[], position: number): Call {
    const bytes = joined(buffers);
    const call = this.#begin("write", (fault) => {
      if (fault !== "short-write") return;
      this.#file.write(bytes.subarray(0, Math.floor(bytes.length / 2)), position);
    });
    this.#file.write(bytes, position);
    for (const changed of this.#file.watchers) setImmediate(changed);
    return call;
  }

  async sync(): Promise<void> {
    const call = this.#begin("sync", () => this.#file.forgetDirty());
    const upTo = this.#file.changes;
    await this.#machine.midway(call);
    this.#file.sync(upTo);
  }

  async truncate(size: number): Promise<void> {
    const call = this.#begin("truncate");
    this.#file.truncate(size);
    await this.#machine.midway(call);
  }

  /** Memory stays valid for its holder. */
  async hold(): Promise<FileHold> {
    return { descriptor: undefined, release() {} };
  }

  async close(): Promise<void> {
    if (!this.#isOpen) throw diskError("EBADF", this.#path);
    this.#isOpen = false;
    this.#closed();
    this.#machine.checkRunning();
  }

  #begin(kind: CallKind, partly?: (fault: Fault) => void): Call {
    const isChange = kind === "write" || kind === "truncate";
    if (!this.#isOpen || (isChange && this.#access === "read")) throw diskError("EBADF", this.#path);
    return this.#machine.begin(kind, this.#path, partly);
  }
}

/** A copy, because the caller owns the buffers. */
function joined(buffers: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const buffer of buffers) length += buffer.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const buffer of buffers) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return bytes;
}

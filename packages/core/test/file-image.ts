/**
 * The files of a store at one point in time, as a storage. Their bytes are shared and never
 * modified, so that the same files can be opened half a million times with different damage without
 * copying them.
 */
import { MemoryStorage, type Storage, type StorageFile } from "../src/index.js";

export type Files = ReadonlyMap<string, Uint8Array>;

export class FileImage extends MemoryStorage implements Storage {
  /** By path; a write replaces the bytes. */
  readonly files: Map<string, Uint8Array>;

  constructor(files: Files) {
    super();
    this.files = new Map(files);
  }

  override async makeDirectory(): Promise<void> {}

  override async list(directory: string): Promise<string[] | undefined> {
    const names = new Set<string>();
    for (const path of this.files.keys()) {
      if (path.startsWith(`${directory}/`)) names.add(path.slice(directory.length + 1).split("/", 1)[0]!);
    }
    return names.size === 0 ? undefined : [...names];
  }

  override async openFile(path: string): Promise<StorageFile> {
    if (!this.files.has(path)) throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
    return new ImageFile(this.files, path);
  }

  override async createFile(path: string): Promise<StorageFile> {
    this.files.set(path, new Uint8Array(0));
    return new ImageFile(this.files, path);
  }

  override async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.files.get(from)!);
    this.files.delete(from);
  }

  override async remove(path: string): Promise<void> {
    this.files.delete(path);
  }
}

class ImageFile implements StorageFile {
  readonly #files: Map<string, Uint8Array>;
  readonly #path: string;

  constructor(files: Map<string, Uint8Array>, path: string) {
    this.#files = files;
    this.#path = path;
  }

  get #bytes(): Uint8Array {
    return this.#files.get(this.#path)!;
  }

  async size(): Promise<number> {
    return this.#bytes.length;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const found = this.#bytes.subarray(position, position + into.length);
    into.set(found);
    return found.length;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    const added = Buffer.concat(buffers);
    const written = new Uint8Array(Math.max(this.#bytes.length, position + added.length));
    written.set(this.#bytes);
    written.set(added, position);
    this.#files.set(this.#path, written);
  }

  async sync(): Promise<void> {}

  async truncate(size: number): Promise<void> {
    this.#files.set(this.#path, this.#bytes.subarray(0, size));
  }

  async hold(): Promise<{ descriptor: undefined; release(): void }> {
    return { descriptor: undefined, release() {} };
  }

  async close(): Promise<void> {}
}

/** All files below a directory, with paths that begin with `as` instead. */
export async function imageOf(storage: Storage, directory: string, as: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of (await storage.list(directory)) ?? []) {
    const [path, under] = [`${directory}/${name}`, `${as}/${name}`];
    if ((await storage.list(path)) !== undefined) {
      for (const [inner, bytes] of await imageOf(storage, path, under)) files.set(inner, bytes);
    } else {
      const file = await storage.openFile(path, "read");
      const bytes = new Uint8Array(await file.size());
      await file.read(bytes, 0);
      await file.close();
      files.set(under, bytes);
    }
  }
  return files;
}

/** The part of a file that is in memory; it moves forward as the file is read. */
import type { StorageFile } from "../storage/storage.js";

/** Bytes per read, unless more are requested. */
const WINDOW_BYTES = 1024 * 1024;

export class FileWindow {
  /** Size of the file when reading began; bytes appended later are ignored. */
  readonly size: number;
  readonly #file: StorageFile;
  #start = 0;
  #bytes = new Uint8Array(0);

  private constructor(file: StorageFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  static async of(file: StorageFile): Promise<FileWindow> {
    return new FileWindow(file, await file.size());
  }

  /**
   * Returns the bytes from `position` on, at least `length` of them unless the file ends before.
   * The view stays valid, because the window moves to another buffer.
   */
  async from(position: number, length: number): Promise<Uint8Array> {
    const wanted = Math.min(length, this.size - position);
    if (position < this.#start || position + wanted > this.#start + this.#bytes.length) {
      const bytes = new Uint8Array(Math.min(Math.max(length, WINDOW_BYTES), this.size - position));
      this.#bytes = bytes.subarray(0, await this.#file.read(bytes, position));
      this.#start = position;
    }
    return this.#bytes.subarray(position - this.#start);
  }
}

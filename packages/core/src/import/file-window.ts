/** The part of a file that is in memory, which moves along as the file is read. */
import type { StorageFile } from "../storage/storage.js";

/** Bytes read at once, unless more are asked for. */
const WINDOW_BYTES = 1024 * 1024;

export class FileWindow {
  /** Bytes in the file when the reading began; what is appended later is not looked at. */
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
   * What is in memory from `position` on, at least `length` bytes of it; fewer only where the file
   * ends. A view that stays as it is: the window moves to another buffer.
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

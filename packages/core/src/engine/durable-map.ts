/**
 * A small durable map with compare-and-set, for what is not a log: blocks of producer ids, and what
 * an engine keeps in it itself, such as topics and leases.
 */

export interface MapEntry {
  readonly value: Uint8Array;
  /** Changes with each set of the key. Never 0. */
  readonly revision: number;
}

/** A small durable map with compare-and-set. */
export interface DurableMap {
  /**
   * Undefined where the key is not there.
   *
   * @throws StorageFailedError, UnavailableError
   */
  get(key: string): Promise<MapEntry | undefined>;

  /**
   * Sets a key if its revision is still the given one; 0 stands for a key that is not there.
   * Resolves, once that is durable, to the new revision, or to undefined where another revision is
   * there.
   *
   * @throws StorageFailedError, UnavailableError: whether it was set is not known; get it to learn
   * that
   */
  compareAndSet(key: string, value: Uint8Array, revision: number): Promise<number | undefined>;
}

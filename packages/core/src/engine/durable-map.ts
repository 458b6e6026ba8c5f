/**
 * A small durable map with compare-and-set, for state outside of logs: blocks of producer ids, and
 * an engine's own state, such as topics and leases.
 */

/** A value and its revision. */
export interface MapEntry {
  readonly value: Uint8Array;
  /** Changes with each set of the key. Never 0. */
  readonly revision: number;
}

/** A small durable map with compare-and-set. */
export interface DurableMap {
  /**
   * Returns undefined if the key does not exist. The caller may modify the value.
   *
   * @throws StorageFailedError, UnavailableError
   */
  get(key: string): Promise<MapEntry | undefined>;

  /**
   * Sets a key if it has the given revision; 0 stands for a key that does not exist. Resolves to
   * the new revision when it is durable, or to undefined if the key has another revision.
   *
   * @throws StorageFailedError, UnavailableError if it is not known whether the key was set; read
   * it to find out
   */
  compareAndSet(key: string, value: Uint8Array, revision: number): Promise<number | undefined>;
}

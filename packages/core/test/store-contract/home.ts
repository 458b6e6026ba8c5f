import type { LogStore, LogStoreOptions } from "../../src/index.js";

/** Where the contract is tested. */
export interface Home {
  /** Returns a path at which no store exists. */
  readonly home: () => string;
  /** Opens a new store, which is closed when the test has finished. */
  readonly open: (options?: LogStoreOptions) => Promise<LogStore>;
}

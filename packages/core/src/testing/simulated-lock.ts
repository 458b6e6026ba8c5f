/** Locks of directories on a simulated disk. They do not survive the machine. */
import { LockedError, StorageFailedError } from "@logstore/codec";
import { LOCK_FILE } from "../storage/lock-names.js";
import type { Lock } from "../storage/storage.js";
import type { DirectoryTree, SimulatedDirectory } from "./directory-tree.js";
import type { Machine } from "./machine.js";

export class SimulatedLocks {
  readonly #machine: Machine;
  readonly #locked = new Set<SimulatedDirectory>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** @throws LockedError */
  lock(tree: DirectoryTree, directory: string): Lock {
    const node = tree.directory(directory);
    if (this.#locked.has(node)) {
      throw new LockedError(`${directory} is open for writing by another writer: close it there first`, {
        file: LOCK_FILE,
      });
    }
    this.#locked.add(node);
    return {
      check: () => {
        this.#machine.checkRunning();
        if (tree.find(directory) === node) return;
        throw new StorageFailedError(`${directory} is not the directory that was opened any more`, { file: LOCK_FILE });
      },
      release: async () => {
        this.#machine.checkRunning();
        this.#locked.delete(node);
      },
    };
  }
}

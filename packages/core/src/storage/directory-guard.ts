/**
 * Ensures that writes go to the directories that were opened: remembers the identity of each
 * directory, and detects when its path leads to another directory or to none. See
 * docs/format/directory.md.
 */
import { StorageFailedError } from "@logstore/codec";
import type { Lock, Storage } from "./storage.js";

/** How often the lock is checked while there are no writes. */
const LOOK_INTERVAL_MS = 1000;

/** A storage that watches over the directory that it has locked. */
export interface GuardedStorage extends Storage {
  readonly guard: DirectoryGuard;

  /**
   * Whether a warning about a clock that is behind is due. All partitions share the clock, and one
   * warning covers all of them.
   */
  isClockWarningDue(): boolean;
}

interface KnownDirectory {
  identity: string | undefined;
  children?: Map<string, KnownDirectory>;
}

export class DirectoryGuard {
  readonly #storage: Pick<Storage, "identify">;
  #root: string | undefined;
  #lock: Lock | undefined;
  #failure: StorageFailedError | undefined;
  /** Start of the last check that found the lock held. */
  #checkedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #known: KnownDirectory = { identity: undefined };
  /** Called once, when the lock is lost. */
  readonly failed = new Set<() => void>();

  constructor(storage: Pick<Storage, "identify">) {
    this.#storage = storage;
  }

  /**
   * Why nothing in the locked directory may be written or acknowledged any more; undefined as long
   * as the lock is held.
   */
  get failure(): StorageFailedError | undefined {
    return this.#failure;
  }

  get isLocked(): boolean {
    return this.#lock !== undefined;
  }

  /** Starts to guard a directory and everything in it. */
  async begin(root: string, lock: Lock): Promise<void> {
    this.#root = root;
    this.#lock = lock;
    await this.learn(root);
    // biome-ignore lint/style/noRestrictedGlobals: a short, constant delay
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#lock = undefined;
    this.#root = undefined;
    this.#known = { identity: undefined };
  }

  /**
   * Throws if the lock has been lost, now or earlier. Called before every acknowledgement.
   *
   * @param maxAgeMs a check that found the lock held is not repeated within this time
   * @throws StorageFailedError
   */
  check(maxAgeMs = 0): void {
    if (this.#failure !== undefined) throw this.#failure;
    const now = performance.now();
    if (now - this.#checkedAt < maxAgeMs) return;
    try {
      this.#lock?.check();
      this.#checkedAt = now;
    } catch (cause) {
      this.#failure = failureOf(cause);
      for (const tell of this.failed) tell();
      throw this.#failure;
    }
  }

  /**
   * Called before a name in the directory is changed or made durable.
   *
   * @throws StorageFailedError if the directory was replaced or is gone
   */
  async checkDirectory(path: string): Promise<void> {
    const known = this.#find(path);
    if (known === undefined) return;
    this.check();
    const { identity } = known;
    const found = await this.#storage.identify(path);
    if (identity === undefined || identity === found) {
      known.identity = found;
      return;
    }
    this.check(); // the root itself may be gone, which is the better error
    const what = found === undefined ? "is gone" : "is another directory now";
    throw new StorageFailedError(
      `${path} ${what}: it was removed, unmounted or replaced since it was opened, and nothing is made anew in its place; see to it, then open the store again`,
      { file: path },
    );
  }

  checkParent(path: string): Promise<void> {
    return this.checkDirectory(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  }

  /** Remembers the identity of the directory at a path, unless it is known already. */
  async learn(path: string): Promise<void> {
    const known = this.#find(path);
    if (known !== undefined) known.identity ??= await this.#storage.identify(path);
  }

  /** A directory was renamed. Has no effect for a file, whose identity is never recorded. */
  renamed(from: string, to: string): void {
    const moved = this.#forget(from);
    if (moved === undefined) return;
    const { known, name } = this.#parent(to) ?? {};
    if (known !== undefined) childrenOf(known).set(name!, moved);
  }

  removed(path: string): void {
    this.#forget(path);
  }

  #forget(path: string): KnownDirectory | undefined {
    const { known, name } = this.#parent(path) ?? {};
    const child = known?.children?.get(name!);
    known?.children?.delete(name!);
    return child;
  }

  #parent(path: string): { known: KnownDirectory; name: string } | undefined {
    const slash = path.lastIndexOf("/");
    const known = slash < 0 ? undefined : this.#find(path.slice(0, slash));
    return known && { known, name: path.slice(slash + 1) };
  }

  /** Undefined for a path outside the locked directory. */
  #find(path: string): KnownDirectory | undefined {
    const root = this.#root;
    if (root === undefined || !(path === root || path.startsWith(`${root}/`))) return undefined;
    let known = this.#known;
    for (const name of path.slice(root.length + 1).split("/")) {
      if (name === "") continue;
      const children = childrenOf(known);
      let child = children.get(name);
      if (child === undefined) {
        child = { identity: undefined };
        children.set(name, child);
      }
      known = child;
    }
    return known;
  }

  #look(): void {
    try {
      this.check();
    } catch {
      clearInterval(this.#timer); // check() has reported it
    }
  }
}

function childrenOf(known: KnownDirectory): Map<string, KnownDirectory> {
  known.children ??= new Map();
  return known.children;
}

function failureOf(cause: unknown): StorageFailedError {
  if (cause instanceof StorageFailedError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageFailedError(`the lock cannot be looked at (${reason}): nothing more is written`, {}, { cause });
}

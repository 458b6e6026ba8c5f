import { callStack, named, uniqueName } from "../common/caller.js";

/**
 * Calls hooks of the application, and waits for each unless that waits for the end of the reading
 * itself.
 */
export class HookCalls {
  /** What ends the wait for a hook, by the name of the function that calls it. */
  readonly #release = new Map<string, () => void>();

  /** Resolves when the hook is done, or waits for the end. */
  async call(hook: () => void | Promise<void>): Promise<void> {
    const name = uniqueName("hook");
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release.set(name, resolve);
    const call = named(name, async () => {
      await hook();
    });
    try {
      await Promise.race([call(), promise]);
    } finally {
      this.#release.delete(name);
    }
  }

  /** The caller waits for the end from here on: if it is a hook, it is waited for no longer. */
  release(): void {
    if (this.#release.size === 0) return;
    for (const { name } of callStack()) if (name !== null) this.#release.get(name)?.();
  }
}

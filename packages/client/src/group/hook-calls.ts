import { callStack, named, uniqueName } from "../common/caller.js";

/**
 * Calls hooks of the application and waits for each, except for a hook that itself waits for the
 * consumer to close.
 */
export class HookCalls {
  /** Functions that end the wait for a hook, by the name of the function that calls the hook. */
  readonly #release = new Map<string, () => void>();

  /** Resolves when the hook is done, or waits for the consumer to close. */
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

  /** Called by `close()`. If the caller is a hook, it is not waited for any longer. */
  release(): void {
    if (this.#release.size === 0) return;
    for (const { name } of callStack()) if (name !== null) this.#release.get(name)?.();
  }
}

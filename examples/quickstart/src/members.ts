/** The members of the group, each in a process of its own. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Report } from "./member.ts";
import { ended } from "./server.ts";

export class Members {
  /** Rejects if a member exits unexpectedly. */
  readonly lost: Promise<never>;
  readonly #children: ReadonlyMap<string, ChildProcess>;
  #killed: string | undefined;
  #stopping = false;

  constructor(address: string, names: readonly string[], onReport: (report: Report) => void) {
    const file = new URL("member.ts", import.meta.url);
    this.#children = new Map(names.map((name) => [name, fork(file, [address, name])]));
    for (const child of this.#children.values()) {
      child.on("message", (message: "assigned" | Report) => {
        if (message === "assigned") return;
        onReport(message);
        child.send("seen", () => {}); // if the member is dead, its records are reported again by another one
      });
    }
    this.lost = Promise.race(Array.from(this.#children, ([name, child]) => this.#lost(name, child)));
    this.lost.catch(() => {}); // reported to whoever awaits it
  }

  /** Resolves when each member has received its first partitions. */
  async ready(): Promise<void> {
    await Promise.all(Array.from(this.#children.values(), (child) => once(child, "message")));
  }

  /** Like a crash: the member commits nothing and does not leave the group. */
  kill(name: string): void {
    this.#killed = name;
    this.#children.get(name)?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const stop = (child: ChildProcess) => ended(child, () => child.connected && child.send("stop"));
    await Promise.all(Array.from(this.#children.values(), stop));
  }

  async #lost(name: string, child: ChildProcess): Promise<never> {
    const [code, signal] = await once(child, "exit");
    if (this.#stopping || name === this.#killed) return new Promise<never>(() => {});
    throw new Error(`${name} ended with ${code ?? signal}`);
  }
}

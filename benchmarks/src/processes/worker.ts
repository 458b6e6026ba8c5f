/** Processes that execute tasks one at a time on request and return the results. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { endedWithThis } from "./children.ts";
import { programFile } from "./run-program.ts";

/** Tasks by name: each gets the input of the request and returns the response. */
export type Tasks = Record<string, (input: never) => unknown>;

type Input<Task> = Task extends (input: infer I) => unknown ? I : never;
type Output<Task> = Task extends (input: never) => infer O ? Awaited<O> : never;

/** A task that takes longer has failed: a peer's client may wait for ever. */
const ANSWER_TIMEOUT_MS = 120_000;

/** Warnings of Node about what other systems' clients do. */
const QUIET = ["--no-warnings"];

/** A process that runs `programs/<name>.ts`, seen from its parent. */
export class Worker<T extends Tasks> {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "exit");
  }

  /** Resolves when it accepts requests. */
  static async start<T extends Tasks>(name: string, args: readonly string[]): Promise<Worker<T>> {
    const worker = new Worker<T>(endedWithThis(fork(programFile(name), args, { execArgv: QUIET })));
    await worker.#message(name);
    return worker;
  }

  /** One request at a time. A process that does not answer within two minutes is killed. */
  ask<Name extends keyof T & string>(name: Name, input: Input<T[Name]>): Promise<Output<T[Name]>> {
    const answered = this.#message(name);
    this.#child.send([name, input]);
    return answered as Promise<Output<T[Name]>>;
  }

  /** SIGKILL; resolves when the process has exited. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async #message(what: string): Promise<unknown> {
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      this.#child.kill("SIGKILL");
    }, ANSWER_TIMEOUT_MS);
    const ended = this.#exited.then(() => {
      throw new Error(isLate ? `no answer to ${what} within ${ANSWER_TIMEOUT_MS / 1_000} s` : `ended during ${what}`);
    });
    try {
      const [answer] = (await Promise.race([once(this.#child, "message"), ended])) as [Answer];
      if ("error" in answer) throw new Error(answer.error);
      return answer.value;
    } finally {
      clearTimeout(late);
    }
  }
}

/** What a task returned or threw. */
type Answer = { readonly value: unknown } | { readonly error: string };

/** In the child: executes requests until the parent exits. */
export function work(tasks: Tasks): void {
  process.on("message", async ([name, input]: [string, never]) => {
    const answer: Answer = await Promise.try(() => tasks[name]!(input)).then(
      (value) => ({ value: value ?? null }),
      (error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
    process.send?.(answer);
  });
  process.once("disconnect", () => process.exit());
  process.send?.({ value: "ready" } satisfies Answer);
}

/** The processes that a benchmark starts: each ends with it, however it ends. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

const STOP_TIMEOUT_MS = 20_000;
const MESSAGE_TIMEOUT_MS = 120_000;
const running = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of running) child.kill("SIGTERM");
});

/** Stops a process when this one exits. Returns it. */
export function endedWithThis<Child extends ChildProcess>(child: Child): Child {
  running.add(child);
  return child.once("exit", () => running.delete(child));
}

/** What a process sends first. Throws if it ends before, or sends nothing for two minutes. */
export async function firstMessage<Message>(child: ChildProcess): Promise<Message> {
  const over = new AbortController();
  const late = setTimeout(() => over.abort(new Error("a process sent nothing")), MESSAGE_TIMEOUT_MS);
  const ended = () => over.abort(new Error("a process ended by itself"));
  child.once("exit", ended);
  try {
    const [message] = await once(child, "message", { signal: over.signal }).catch(() => {
      throw over.signal.reason;
    });
    return message;
  } finally {
    clearTimeout(late);
    child.off("exit", ended);
  }
}

/**
 * Asks a process to end, and kills it after 20 s. Resolves when it has ended, at once if it had
 * before.
 */
export async function stopped(child: ChildProcess, ask = () => void child.kill("SIGTERM")): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  const killing = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  ask();
  await exited;
  clearTimeout(killing);
}

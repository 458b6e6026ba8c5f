/** Processes that a benchmark starts do not outlive it, and are stopped whatever became of them. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const children = new URL("../../benchmarks/src/processes/children.ts", import.meta.url).href;

function run(code: string): string {
  const script = `
    import { spawn } from "node:child_process";
    import { once } from "node:events";
    const { endedWithThis, stopped } = await import(${JSON.stringify(children)});
    const start = (code) => endedWithThis(spawn(process.execPath, ["--eval", code], { stdio: "inherit" }));
    ${code}`;
  return execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    encoding: "utf8",
    timeout: 280_000,
  });
}

test("a process ends with the benchmark that started it", () => {
  // The call returns when the last process that holds its pipe has ended.
  expect(run('start("setInterval(() => {}, 1_000)"); process.exit();')).toBe("");
});

test("a process that has ended by itself counts as stopped", () => {
  const output = run(
    'const child = start("0"); await once(child, "exit"); await stopped(child); console.log("stopped");',
  );
  expect(output).toBe("stopped\n");
});

test("a process that is stopped ends", () => {
  const output = run(
    'const child = start("setInterval(() => {}, 1_000)"); await stopped(child); console.log(child.signalCode);',
  );
  expect(output).toBe("SIGTERM\n");
});

/** The command as a user runs it, and the projects that it makes. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TEMPLATES } from "./templates.js";

const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url));
const templates = fileURLToPath(new URL("../templates/", import.meta.url));
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "create-logstore-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

function create(args: string[], env: Record<string, string> = {}) {
  const options = { cwd: directory, encoding: "utf8", env: { ...process.env, NO_COLOR: "1", ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], options);
  return { status, stdout, stderr };
}

const manifestOf = (project: string) => JSON.parse(readFileSync(join(directory, project, "package.json"), "utf8"));

test("every folder of templates is offered", () => {
  expect(readdirSync(templates).toSorted()).toEqual(TEMPLATES.map(({ name }) => name).toSorted());
  const { status, stdout } = create(["--help"]);
  expect(status).toBe(0);
  for (const { name, what } of TEMPLATES) expect(stdout).toContain(`${name.padEnd(16)}${what}`);
});

describe.each(TEMPLATES)("$name", ({ name }) => {
  test("makes a project that is like the template, and says what to do next", () => {
    const { status, stdout, stderr } = create(["My App", "--template", name], {
      npm_config_user_agent: "pnpm/12.21.0 x",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toContain('\n  cd "My App"\n  pnpm install\n  pnpm start\n  pnpm test\n');
    const made = readdirSync(join(directory, "My App"), { recursive: true, encoding: "utf8" });
    expect(made).toContain(".gitignore");
    expect(made.filter((path) => /^(node_modules|data|gitignore)/.test(path))).toEqual([]);
    const source = readFileSync(join(templates, name, "src/main.ts"), "utf8");
    expect(readFileSync(join(directory, "My App/src/main.ts"), "utf8")).toBe(source);
    const manifest = manifestOf("My App");
    expect(manifest.name).toBe("my-app");
    for (const what of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      const { devDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
      // A published package depends on releases instead.
      if (what.startsWith("@logstore/")) expect(devDependencies).toHaveProperty([what]);
    }
  });

  test("its types are right, its tests pass, and it starts", { timeout: 300_000 }, async () => {
    const project = join(templates, name);
    const run = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: project,
        encoding: "utf8",
        timeout: 240_000,
      });
      expect(status, stdout + stderr).toBe(0);
      return stdout;
    };
    run(fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json"))));
    expect(run("--test", "--test-reporter=spec")).toMatch(/^ℹ fail 0$/m);
    if (name === "web-log") return; // it runs until it is stopped, and is tested by the release rehearsal
    const main = `process.chdir(${JSON.stringify(directory)}); await import("${new URL(`../templates/${name}/src/main.ts`, import.meta.url)}")`;
    const outputs = [1, 2].map(() => run("--input-type=module", "--eval", main).trimEnd().split("\n"));
    if (name === "event-sourcing") expect(outputs.map(([first]) => first)).toEqual(["Ada has 70", "Ada has 140"]);
    else expect(outputs[1]).toContainEqual(expect.stringContaining("(nobody is no address)"));
  });
});

test("the present directory, if nothing but .git is in it", () => {
  mkdirSync(join(directory, ".git"));
  const { status, stdout } = create([".", "--template", "queue"]);
  expect(status).toBe(0);
  expect(stdout).not.toContain("cd ");
  expect(existsSync(join(directory, "src/jobs.ts"))).toBe(true);
  expect(create([".", "--template", "queue"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("is not empty"),
  });
});

test("what is there already is not touched", () => {
  mkdirSync(join(directory, "app"));
  writeFileSync(join(directory, "app/precious"), "");
  writeFileSync(join(directory, "file"), "");
  expect(create(["app", "-t", "queue"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("app is not empty"),
  });
  expect(create(["file", "-t", "queue"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("file is a file"),
  });
  expect(readdirSync(join(directory, "app"))).toEqual(["precious"]);
});

test.each([
  [["app", "--template", "kafka"], 'there is no template "kafka": choose one of event-sourcing, queue, web-log'],
  [["app"], "say where and what: npm create logstore DIRECTORY -- --template NAME"],
  [["--template", "queue"], "say where and what"],
  [["a", "b"], "one directory is expected, not 2"],
  [["--templat", "queue"], "--templat"],
])("without a terminal, %j is refused", (args, message) => {
  expect(create(args)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(message) });
  expect(readdirSync(directory)).toEqual([]);
});

const hasTerminal = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;
if (!hasTerminal) process.stdout.write("skipped: questions at a terminal (script of util-linux is not installed)\n");

test.runIf(hasTerminal)("at a terminal it asks for what is left out, and Ctrl-C leaves nothing behind", async () => {
  /** Answers each prompt for the template. Resolves to the exit code. */
  const atTerminal = async (answers: string[], ...args: string[]) => {
    const command = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(" ");
    const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: directory });
    for await (const chunk of child.stdout)
      if (/Number or name.*: /.test(String(chunk))) child.stdin.write(answers.shift() ?? "");
    return child.exitCode ?? (await once(child, "exit"))[0];
  };
  expect(await atTerminal(["kafka\r", "2\r"], "chosen")).toBe(0);
  expect(existsSync(join(directory, "chosen/src/jobs.ts"))).toBe(true);
  expect(await atTerminal(["\x03"], "left")).toBe(130);
  expect(existsSync(join(directory, "left"))).toBe(false);
});

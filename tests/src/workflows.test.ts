/**
 * Everything that the workflows and forms of .github run or mention exists, and actions are pinned.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (file: string) => readFileSync(join(root, file), "utf8");
const workflows = globSync(".github/workflows/*.yml", { cwd: root });

interface Workflow {
  readonly permissions: object;
  readonly jobs: Record<string, { permissions?: object; steps: readonly { uses?: string; run?: string }[] }>;
}

test("there are workflows", () => expect(workflows).toHaveLength(2));

test.each(workflows)("%s names each action by its commit, with the version beside it", (file) => {
  const uses = read(file)
    .split("\n")
    .filter((line) => /^\s*(- )?uses:/.test(line));
  expect(uses.length).toBeGreaterThan(0);
  for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test.each(workflows)("%s gives no job more permissions than it names", (file) => {
  const { permissions, jobs } = parse(read(file)) as Workflow;
  expect(permissions).toEqual({});
  for (const job of Object.values(jobs)) expect(job.permissions).toBeDefined();
});

test.each(workflows)("the scripts that %s runs exist", (file) => {
  const { scripts, packageManager } = JSON.parse(read("package.json"));
  const { jobs } = parse(read(file)) as Workflow;
  const commands = read(file).match(/(?<=run: |script: )(npm|npx) .*$/gm) ?? [];
  expect(Object.keys(jobs).length).toBeGreaterThan(0);
  for (const command of commands) {
    if (command === `npm install --global ${packageManager}`) continue;
    const name = new RegExp(`^(?:npm (?:run )?|npx --yes ${packageManager} )([\\w:-]+)$`).exec(command)?.[1];
    if (command.startsWith("npm ci --prefix tests/node-versions")) continue;
    expect(scripts, command).toHaveProperty([name ?? command]);
  }
});

test("the workflow installs the foreign programs that .ci/run installs", () => {
  const packages = /^packages=\((.+)\)$/m.exec(read(".ci/run"))![1]!;
  expect(packages.split(" ").length).toBeGreaterThan(5);
  expect(read(".github/workflows/ci.yml")).toContain(`--no-install-recommends ${packages}\n`);
});

test("issue forms and Dependabot's configuration are YAML with what GitHub asks for", () => {
  for (const file of ["bug", "feature"]) {
    const form = parse(read(`.github/ISSUE_TEMPLATE/${file}.yml`));
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String), body: expect.any(Array) });
    for (const field of form.body) expect(field.attributes.label ?? field.attributes.value).toEqual(expect.any(String));
  }
  const { updates } = parse(read(".github/dependabot.yml"));
  for (const { directory } of updates)
    expect(globSync(join(root, directory, "{package.json,.github}"))).not.toEqual([]);
});

test("the tests run on the versions of Node that the README promises", () => {
  const { jobs } = parse(read(".github/workflows/ci.yml"));
  const { engines } = JSON.parse(read("packages/core/package.json"));
  expect(jobs.test.strategy.matrix.node[0]).toBe(engines.node.replace(">=", ""));
  expect(jobs.quickstart.steps[1].with["node-version"]).toBe(JSON.parse(read("package.json")).engines.node.slice(2));
});

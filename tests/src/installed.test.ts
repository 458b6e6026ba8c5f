/**
 * `@logstore/core` as published: it installs without a registry, and depends only on our own
 * packages and on nothing native.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { manifest, pack } from "./packed.ts";

const OURS = ["@logstore/codec", "@logstore/core", "@logstore/protocol"];

const PROGRAM = `
import { LogStore } from "@logstore/core";

await using store = await LogStore.open("logs/", { partitions: 10 });
const { partition, offset, durability } = await store.append("10084", "Hello World!");
for await (const { value } of store.read(partition, { from: offset })) {
  console.log(offset, durability, new TextDecoder().decode(value));
}
`;

let directory: string;
/** A user's program, with a package.json and a node_modules of its own. */
let app: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  app = join(directory, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  for (const name of OURS) pack(name.replace("@logstore/", ""), directory);
  const tarballs = readdirSync(directory).filter((name) => name.endsWith(".tgz"));
  // With an empty cache and no network, any other dependency would make the installation fail.
  const options = ["--offline", "--cache", join(directory, "cache"), "--no-audit", "--no-fund", "--loglevel", "error"];
  execFileSync("npm", ["install", ...options, ...tarballs.map((name) => join("..", name))], { cwd: app });
});

afterAll(() => removeDirectory(directory));

function installed(name: string): string {
  return join(app, "node_modules", name);
}

test("nothing else is installed", () => {
  const lock: { packages: Record<string, unknown> } = JSON.parse(readFileSync(join(app, "package-lock.json"), "utf8"));
  const paths = Object.keys(lock.packages).filter((path) => path !== "");
  expect(paths.toSorted()).toEqual(OURS.map((name) => `node_modules/${name}`));
});

test.each(OURS)("%s depends on nothing else, and on the versions it was built with", (name) => {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifest(installed(name));
  for (const [needed, range] of Object.entries({ ...dependencies, ...optionalDependencies })) {
    expect(OURS).toContain(needed);
    expect(range).toBe(`^${manifest(installed(needed)).version}`);
  }
  for (const peer of Object.keys(peerDependencies ?? {})) expect(peerDependenciesMeta?.[peer]?.optional).toBe(true);
});

test.each(OURS)("%s has nothing native, and no install script", (name) => {
  const files = readdirSync(installed(name), { recursive: true, encoding: "utf8" });
  expect(files.filter((file) => /\.node$|\.gyp$|\.wasm$/.test(file))).toEqual([]);
  const { scripts = {} } = manifest(installed(name));
  expect(Object.keys(scripts).filter((script) => /^(pre|post)?install$|^prepare$/.test(script))).toEqual([]);
});

test("a program appends and reads while Node loads no add-on", () => {
  writeFileSync(join(app, "main.js"), PROGRAM);
  const output = execFileSync(process.execPath, ["--no-addons", "main.js"], { cwd: app, encoding: "utf8" });
  expect(output).toBe("0 flushed Hello World!\n");
});

/**
 * The published declarations compile in a program that checks libraries, too: under TypeScript 5.9
 * and 7, with the types of Node or of a browser, and those of codec and protocol without either.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { manifest, pack } from "./packed.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PACKAGES = ["codec", "protocol", "core", "client", "server-grpc", "testing"];
const ENTRIES = [
  "codec",
  "protocol",
  "protocol/descriptors",
  "core",
  "core/engine",
  "core/testing",
  "client",
  "server-grpc",
  "testing",
];

/** Directory of a program that has our packages and their dependencies installed. */
let app: string;

beforeAll(async () => {
  app = await temporaryDirectory();
  const scope = join(app, "node_modules/@logstore");
  for (const name of PACKAGES) {
    mkdirSync(join(scope, name), { recursive: true });
    mkdirSync(join(app, "tarballs", name), { recursive: true });
    pack(name, join(app, "tarballs", name));
    const [tarball] = readdirSync(join(app, "tarballs", name));
    const from = join(app, "tarballs", name, tarball!);
    execFileSync("tar", ["-xzf", from, "-C", join(scope, name), "--strip-components=1"]);
    linkDependencies(name, join(scope, name));
  }
  mkdirSync(join(app, "node_modules/@types"));
  symlinkSync(join(root, "packages/core/node_modules/@types/node"), join(app, "node_modules/@types/node"), "junction");
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
});

afterAll(() => removeDirectory(app));

/** Links the external dependencies of a package. */
function linkDependencies(name: string, installed: string): void {
  for (const dependency of Object.keys(manifest(installed).dependencies ?? {})) {
    if (dependency.startsWith("@logstore/")) continue;
    const link = join(installed, "node_modules", dependency);
    mkdirSync(join(link, ".."), { recursive: true });
    symlinkSync(join(root, "packages", name, "node_modules", dependency), link, "junction");
  }
}

const compilers = {
  "5.9": join(root, "tests/declarations/node_modules/typescript-5.9/bin/tsc"),
  "7": join(root, "node_modules/typescript/bin/tsc"),
};

const platforms = {
  "neither Node's types nor a browser's": { lib: ["es2024"], types: [] },
  "a browser's types": { types: [] },
  "Node's types": { lib: ["es2024"], types: ["node"] },
};

const programs = (Object.keys(compilers) as (keyof typeof compilers)[]).flatMap((version) =>
  (Object.keys(platforms) as (keyof typeof platforms)[]).map((platform) => ({ version, platform })),
);

test.each(programs)("TypeScript $version, $platform", ({ version, platform }) => {
  const isPortable = platform.startsWith("neither");
  const entries = ENTRIES.filter((entry) => {
    if (isPortable) return /^(codec|protocol)/.test(entry);
    // The server's dependencies take TypeScript 5.9 half a minute.
    return version === "7" || entry !== "server-grpc";
  });
  const directory = join(app, `${version} ${platform}`);
  mkdirSync(directory);
  const lines = entries.map((entry, i) => `import * as entry${i} from "@logstore/${entry}";\nvoid entry${i};`);
  writeFileSync(join(directory, "program.ts"), lines.join("\n"));
  const compilerOptions = {
    ...platforms[platform],
    target: "es2022",
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  const { stdout } = spawnSync(process.execPath, [compilers[version], "-p", directory, "--pretty", "false"], {
    cwd: app,
    encoding: "utf8",
  });
  // Errors in declarations of other packages are ignored.
  const errors = stdout
    .split("\n")
    .filter((line) => /error TS/.test(line) && !/^(?!.*@logstore).*node_modules/.test(line));
  expect(errors).toEqual([]);
});

const declarations = (name: string) => globSync("dist/**/*.d.ts", { cwd: join(app, "node_modules/@logstore", name) });

test.each(PACKAGES)("nothing internal is in the declarations of %s", (name) => {
  const files = declarations(name);
  expect(files.length).toBeGreaterThan(5);
  const text = files.map((file) => readFileSync(join(app, "node_modules/@logstore", name, file), "utf8")).join("\n");
  expect(text).not.toContain("@internal");
});

test.each(["codec", "protocol"])("no type of Node is in the declarations of %s", (name) => {
  for (const file of declarations(name)) {
    const text = readFileSync(join(app, "node_modules/@logstore", name, file), "utf8");
    const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "");
    expect(code, file).not.toMatch(/\bBuffer\b|["']node:|\bNodeJS\b|import\("/);
  }
});

/** The blocks that are programs, all of which are checked and compiled in one compiler run. */
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Block, root } from "./blocks.ts";

/** Inside this package, so that the packages are found from there. */
const directory = fileURLToPath(new URL("../../.doc-blocks/", import.meta.url));

export interface Program {
  readonly block: Block;
  /** Path of the compiled module. */
  readonly module: string;
}

export function isProgram({ language }: Block): boolean {
  return language === "ts" || language === "js";
}

/**
 * Type-checks programs and compiles them. The compiler's messages name the page and the line.
 *
 * @throws an error with these messages
 */
export function compile(blocks: readonly Block[]): Program[] {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const names = blocks.map(({ page, line }) => `${page.replaceAll("/", "__")}.${line}`);
  for (const [index, { line, code }] of blocks.entries()) {
    // The code keeps the line numbers of the page. A file without an import or export would not be
    // a module.
    writeFileSync(join(directory, `${names[index]}.ts`), `${"\n".repeat(line - 1)}${code}export {};\n`);
  }
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(configuration));
  const compiler = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));
  try {
    execFileSync(process.execPath, [compiler, "-p", directory], { cwd: directory, encoding: "utf8" });
  } catch (error) {
    throw new Error(inPages((error as { stdout: string }).stdout));
  }
  return blocks.map((block, index) => ({ block, module: join(directory, "out", `${names[index]}.js`) }));
}

const configuration = {
  extends: join(root, "tsconfig.base.json"),
  compilerOptions: {
    outDir: "out",
    rootDir: ".",
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    paths: declarations(),
  },
  files: [],
  include: ["*.ts", "../src/doc-blocks/around.d.ts"],
};

/**
 * The declarations of every package of this workspace, including those that the tests do not depend
 * on.
 */
function declarations(): Record<string, readonly string[]> {
  const entries = globSync("packages/*/package.json", { cwd: root }).flatMap((file) => {
    const { name, exports = {} } = JSON.parse(readFileSync(join(root, file), "utf8"));
    return Object.entries<unknown>(exports).flatMap(([subpath, target]) =>
      typeof target === "string" && target.endsWith(".js")
        ? [[name + subpath.slice(1), [join(root, dirname(file), target.replace(/\.js$/, ".d.ts"))]] as const]
        : [],
    );
  });
  return Object.fromEntries(entries);
}

/** "docs__client.md.12.ts(14,3)" is line 14 of docs/client.md. */
function inPages(messages: string): string {
  return messages.replaceAll(/^(\S+\.md)\.\d+\.ts\((\d+),/gm, (_, page: string, line: string) => {
    return `${page.replaceAll("__", "/")}:${line} (`;
  });
}

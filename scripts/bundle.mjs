/**
 * Replaces the modules in dist/ of a package by one file for each of its entry points, and one that
 * these share: `node ../../scripts/bundle.mjs <entry>...`, with names as in src/, for example
 * `index`. To load a hundred modules takes a program some five times as long. Declarations stay as
 * the compiler made them, and source maps lead to src/.
 */
import { globSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

const entries = process.argv.slice(2);
const bundle = await rolldown({
  input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
  external: (id) => !/^[./]/.test(id), // other packages, and the `imports` of this one
  resolve: { extensionAlias: { ".js": [".ts"] } },
  platform: "neutral",
  tsconfig: "tsconfig.build.json",
});
const { output } = await bundle.write({
  dir: "dist",
  format: "esm",
  sourcemap: true,
  sourcemapExcludeSources: true,
  chunkFileNames: "shared.js",
});
await bundle.close();

const written = new Set(output.map(({ fileName }) => join("dist", fileName)));
for (const file of globSync("dist/**/*.js{,.map}")) if (!written.has(file)) rmSync(file);

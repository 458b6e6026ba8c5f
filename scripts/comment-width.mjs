/**
 * Fails if a comment line is wider than 100 columns, because the formatter does not wrap comments.
 * Lines that cannot be wrapped, such as tool directives and URLs, are ignored.
 */
import { globSync, readFileSync } from "node:fs";

const widest = 100;
const comment = /^\s*(\/\/|\/\*|\*[\s/])/; // a generator method begins with "*", too
const unbreakable = /biome-ignore|@ts-|https?:\/\/\S+$/;

const files = globSync("**/*.{ts,cts,mjs,js,cjs}", { exclude: (name) => /node_modules|dist|golden/.test(name) });
const wide = files.flatMap((file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .map((line, index) => ({ line, at: `${file}:${index + 1}` }))
    .filter(({ line }) => line.length > widest && comment.test(line) && !unbreakable.test(line)),
);

for (const { line, at } of wide) console.error(`${at}: a comment of ${line.length} columns; wrap it at ${widest}`);
if (wide.length > 0) process.exitCode = 1;

/**
 * Writes dist/descriptors.js: the .proto files parsed, as JSON that `@grpc/proto-loader` makes
 * services and messages of (`fromJSON`). A program that has it needs no file at run time, so that
 * bundles work.
 */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const packageDirectory = join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
const protobuf = createRequire(require.resolve("@grpc/proto-loader"))("protobufjs");

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(packageDirectory, "proto", target);
const names = ["log", "admin", "group", "error"];
root.loadSync(names.map((name) => `logstore/v1/${name}.proto`));
const json = JSON.stringify(root.resolveAll().toJSON());
writeFileSync(join(packageDirectory, "dist/descriptors.js"), `export const descriptors = ${json};\n`);
writeFileSync(
  join(packageDirectory, "dist/descriptors.d.ts"),
  "/** The .proto files of this package, parsed: what `fromJSON` of `@grpc/proto-loader` takes. */\n" +
    "export declare const descriptors: { readonly nested: { readonly [name: string]: object } };\n",
);

/**
 * Writes dist/descriptors.js: the parsed .proto files as JSON, from which `MessageSchema` makes
 * services and messages, and so does `fromJSON` of `@grpc/proto-loader`. With it a program needs no
 * files at run time, so that it can be bundled.
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
  "/** The parsed .proto files of this package: for `MessageSchema`, and `fromJSON` of `@grpc/proto-loader`. */\n" +
    "export declare const descriptors: { readonly nested: { readonly [name: string]: object } };\n",
);

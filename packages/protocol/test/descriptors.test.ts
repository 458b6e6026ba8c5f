/** The compiled form of the .proto files, which servers return through reflection. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { descriptorFiles, descriptorSetFile, protoFiles } from "../src/index.js";

test("the compiled files are those of this package and their imports", () => {
  const texts = descriptorFiles(readFileSync(descriptorSetFile)).map((file) => new TextDecoder("latin1").decode(file));
  // A file begins with field 1, its name: tag 0a, length.
  const names = texts.map((text) => text.slice(2, 2 + text.charCodeAt(1)));
  expect(names.toSorted()).toEqual(
    [...protoFiles, "google/protobuf/any.proto", "google/protobuf/duration.proto"].toSorted(),
  );
  expect(texts.join()).toContain("expected_offset");
});

test("unknown fields are skipped", () => {
  expect(descriptorFiles(Uint8Array.of(0x0a, 1, 7, 0x12, 1, 9, 0x0a, 0))).toEqual([Uint8Array.of(7), new Uint8Array()]);
});

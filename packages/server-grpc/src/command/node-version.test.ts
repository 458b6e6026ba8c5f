import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { nodeVersionProblem } from "./node-version.js";

const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

test("the lowest version is the one in package.json", () => {
  const lowest = /^>=(\d+)\.(\d+)$/.exec(engines.node);
  const [major, minor] = [Number(lowest?.[1]), Number(lowest?.[2])];
  expect(nodeVersionProblem(`${major}.${minor}.0`)).toBe(undefined);
  expect(nodeVersionProblem(`${major}.${minor - 1}.3`)).toBe(
    `Node ${major}.${minor - 1}.3 is too old: use Node ${major}.${minor} or newer`,
  );
});

test.for(["22.15.1", "23.0.0", "24.21.0", "26.10.0", "100.1.0-nightly"])("%s is accepted", (version) => {
  expect(nodeVersionProblem(version)).toBe(undefined);
});

test.for(["22.9.0", "20.20.2", "18.0.0"])("%s is refused", (version) => {
  expect(nodeVersionProblem(version)).toContain("too old");
});

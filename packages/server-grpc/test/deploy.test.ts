/** The files in deploy/ match the command. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { type CommandLine, parseCommandLine } from "../src/command/command-line.js";
import { loadConfig } from "../src/command/config.js";
import { configSchema } from "../src/command/config-schema.js";
import { temporaryDirectory } from "./temporary-directory.js";

const read = (name: string) => readFileSync(new URL(`../deploy/${name}`, import.meta.url), "utf8");
const example = read("logstore.yaml");

async function configOf(yaml: string) {
  const path = join(temporaryDirectory(), "logstore.yaml");
  writeFileSync(path, yaml);
  return loadConfig(parseCommandLine(["--config", path]) as CommandLine, {});
}

/** All keys of the schema, such as "access.tokens.principal". */
function keysOf(schema: z.ZodType, path: readonly string[] = []): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return keysOf(schema.unwrap() as z.ZodType, path);
  }
  if (schema instanceof z.ZodArray) return keysOf(schema.element as z.ZodType, path);
  const here = path.length === 0 ? [] : [path.join(".")];
  if (!(schema instanceof z.ZodObject)) return here;
  return [
    ...here,
    ...Object.entries(schema.shape).flatMap(([name, inner]) => keysOf(inner as z.ZodType, [...path, name])),
  ];
}

test("the example configuration contains exactly the defaults", async () => {
  const { config, warnings } = await configOf(example);
  const byDefault = (await configOf("data: /var/lib/logstore")).config;
  const { durability, segmentBytes, maxBatchBytes, topics, groups, limits, ...rest } = config;
  expect(warnings).toEqual([]);
  const { minSegmentBytes } = byDefault.topics;
  expect({ ...rest, topics: { minSegmentBytes }, groups: { perPrincipal: {} }, limits: {} }).toEqual(byDefault);
  expect(topics).toEqual({ maxTopics: 20_000, maxPartitions: 100_000, maxSnapshots: 10_000, minSegmentBytes });
  expect(groups).toEqual(byDefault.groups); // they depend on the heap
  expect([durability, segmentBytes, maxBatchBytes]).toEqual(["flushed", 64 * 1024 * 1024, 16 * 1024 * 1024]);
  expect(Object.keys(limits)).toHaveLength(5);
});

test("with all of its keys enabled the example is valid, and no key is missing", async () => {
  const { config } = await configOf(example.replaceAll(/^#(?=[^ \n]| {2})/gm, ""));
  expect(config).toMatchObject({
    tls: { clientCertificates: "required" },
    access: { tokens: [{ principal: "ada" }], jwt: { audience: "logstore" }, quotas: [{ connections: 10 }] },
    metrics: { port: 9464 },
    retentionMs: 604_800_000,
  });
  const keys = keysOf(configSchema);
  expect(keys).toContain("access.rules.operations");
  const missing = keys.filter((key) => !new RegExp(`\\b${key.split(".").at(-1)}:`).test(example));
  expect(missing).toEqual([]);
});

test("the unit gives the command time to drain, and minimal privileges", () => {
  const unit = read("logstore.service");
  const settings = Object.fromEntries([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  expect(settings).toMatchObject({
    DynamicUser: "yes",
    StateDirectory: "logstore",
    NoNewPrivileges: "yes",
    ProtectSystem: "strict",
    KillSignal: "SIGTERM",
    RestartPreventExitStatus: "2",
    ExecReload: "/bin/kill -HUP $MAINPID",
  });
  expect(Number(settings["TimeoutStopSec"]) * 1_000).toBeGreaterThan(configSchema.parse({ data: "d" }).drainTimeoutMs);
  expect(Number(settings["LimitNOFILE"])).toBeGreaterThan(512 + 1_000);
  const [, ...args] = settings["ExecStart"]!.split(" ");
  expect(parseCommandLine(args)).toMatchObject({ configFile: "/etc/logstore/logstore.yaml" });

  const path = join(temporaryDirectory(), "logstore.service");
  writeFileSync(path, unit.replace("/usr/local/bin/logstore-server", process.execPath));
  const { error, stderr } = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
  if (error === undefined) expect(stderr.split("\n").filter((line) => line.includes("logstore.service"))).toEqual([]);
});

test("the image runs as an unprivileged user, has a health check, and is stopped as the command expects", () => {
  const lines = read("Containerfile").split("\n");
  expect(lines.filter((line) => line.startsWith("FROM "))).toEqual(["FROM node:24-slim AS build", "FROM node:24-slim"]);
  for (const line of ["USER node", "STOPSIGNAL SIGTERM", 'ENTRYPOINT ["logstore-server"]'])
    expect(lines).toContain(line);
  expect(lines.find((line) => line.startsWith("HEALTHCHECK"))).toMatch(/CMD \["logstore-server", "health"\]$/);
});

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "@logstore/codec";
import type { Logger } from "pino";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { type CommandLine, parseCommandLine } from "./command-line.js";
import { loadConfig } from "./config.js";
import { scalarKeys } from "./config-keys.js";
import { connectOptions, peerLog } from "./connect-to-broker.js";
import { engineOptions } from "./open-engine.js";
import { UsageError } from "./usage-error.js";

const load = (args: string[], environment: Record<string, string> = {}) =>
  loadConfig(parseCommandLine(args) as CommandLine, environment);

async function configOf(args: string[], environment?: Record<string, string>) {
  return (await load(args, environment)).config;
}

async function problemsOf(args: string[], environment?: Record<string, string>): Promise<readonly string[]> {
  try {
    await load(args, environment);
  } catch (error) {
    if (error instanceof UsageError) return error.problems;
    throw error;
  }
  throw new Error("the configuration was taken");
}

/** A file "logstore.yaml" in a directory of its own. */
function file(yaml: string, name = "logstore.yaml"): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, yaml);
  return path;
}

test("the defaults", async () => {
  expect(await configOf(["--data", "d"])).toEqual({
    engine: "files",
    data: "d",
    cluster: { syncsAlways: false },
    listen: { host: "127.0.0.1", port: 7411 },
    insecure: false,
    reflection: true,
    topics: { minSegmentBytes: 1_048_576 },
    groups: { perPrincipal: {} },
    drainTimeoutMs: 10_000,
    log: { level: "info", format: "json" },
    metrics: { host: "127.0.0.1" },
    tracing: {},
    limits: {},
  });
});

test("flags override variables, and variables override the file, key by key", async () => {
  const config = file(
    'data: ":memory:"\nlisten: { host: 127.0.0.2, port: 1 }\nsegmentBytes: 100000\nlog: { level: warn }\n',
  );
  const environment = { LOGSTORE_CONFIG: config, LOGSTORE_LISTEN_PORT: "2", LOGSTORE_SEGMENT_BYTES: "200000" };
  expect(await configOf(["--port", "3"], environment)).toMatchObject({
    data: ":memory:",
    listen: { host: "127.0.0.2", port: 3 },
    segmentBytes: 200_000,
    log: { level: "warn", format: "json" },
  });
  const other = file(`data: ":memory:"\n`);
  expect(await configOf(["--config", other], environment)).toMatchObject({
    segmentBytes: 200_000,
    log: { level: "info" },
  });
});

test("each key has a flag and a variable", async () => {
  const texts: Record<string, string> = {
    engine: "files",
    "listen.host": "127.0.0.3",
    "tls.clientCertificates": "optional",
    durability: "written",
    segmentBytes: "65536",
    "log.level": "debug",
    "log.format": "text",
    "metrics.host": "127.0.0.4",
    "tracing.otlpUrl": "http://127.0.0.1:4318/v1/traces",
    accessFile: file("rules: []\n", "access.yaml"),
    "cluster.replicas": "3",
    "cluster.syncsAlways": "true",
    insecure: "true",
    reflection: "false",
  };
  const values = scalarKeys.map((key, i) => ({ key, text: texts[key.path.join(".")] ?? String(1000 + i) }));
  const environment = Object.fromEntries(values.map(({ key, text }) => [key.variable, text]));
  const args = values.flatMap(({ key, text }) => {
    if (text === "true") return [`--${key.flag}`];
    return text === "false" ? [`--no-${key.flag}`] : [`--${key.flag}`, text];
  });
  const [byVariables, byFlags] = [await configOf([], environment), await configOf(args)];
  expect(byFlags).toEqual(byVariables);
  for (const { key, text } of values) {
    const found = key.path.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], byFlags);
    expect([key.flag, String(found)]).toEqual([key.flag, text]);
  }
});

test("file names are relative to the file that contains them", async () => {
  const path = file(
    "data: data\ntls: { certFile: tls/cert.pem, keyFile: /etc/key.pem }\naccessFile: access/access.yaml\n",
  );
  mkdirSync(join(path, "../access"));
  writeFileSync(
    join(path, "../access/access.yaml"),
    "jwt: { issuer: i, audience: a, jwksFile: jwks.json }\nrules: [{ principals: [ada], operations: [consume], topics: [t] }]\n",
  );
  const directory = join(path, "..");
  expect(await configOf(["--config", path])).toMatchObject({
    data: join(directory, "data"),
    tls: { certFile: join(directory, "tls/cert.pem"), keyFile: "/etc/key.pem" },
    access: { jwt: { jwksFile: join(directory, "access/jwks.json") }, rules: [{ principals: ["ada"] }] },
  });
  expect(await configOf(["--data", "data"])).toMatchObject({ data: "data" });
});

test("a problem has its position, the name of the key and the allowed values", async () => {
  const path = file(`data: d
listen:
  port: 70000
durability: maybe
segmentBytes: "1000"
lissen: {}
log: [ 1 ]
metrics:
  hots: a
tracing: { otlpUrl: ftp://somewhere }
reflection: perhaps
data2:
`);
  expect((await problemsOf(["--config", path])).toSorted()).toEqual(
    [
      `${path}:3:3: listen.port is a whole number from 0 to 65535, not 70000`,
      `${path}:4:1: durability is "flushed" or "written", not "maybe"`,
      `${path}:5:1: segmentBytes is a whole number from 65536 to 2147483648, not "1000"`,
      `${path}:6:1: there is no key lissen (did you mean "listen"?)`,
      `${path}:7:1: log is a mapping, not [1]`,
      `${path}:9:3: there is no key metrics.hots (did you mean "host"?)`,
      `${path}:10:12: tracing.otlpUrl is a URL, not "ftp://somewhere"`,
      `${path}:11:1: reflection is true or false, not "perhaps"`,
      `${path}:12:1: there is no key data2 (did you mean "data"?)`,
    ].toSorted(),
  );
});

test("with engine jetstream the data is in NATS", async () => {
  const flags = ["--engine", "jetstream", "--nats", "nats://a:4222, nats://b:4222"];
  const config = await configOf([...flags, "--host", "::1", "--cluster-replicas", "1"]);
  expect(engineOptions(config)).toMatchObject({
    servers: ["nats://a:4222", "nats://b:4222"],
    address: "[::1]:7411",
    replicas: 1,
    syncsAlways: false,
  });
  expect(
    engineOptions(await configOf([...flags, "--cluster-address", "b1:7411", "--cluster-broker", "b1"])),
  ).toMatchObject({
    address: "b1:7411",
    broker: "b1",
  });
  expect(await problemsOf(["--engine", "jetstream"])).toEqual([
    "nats is missing: say --nats, LOGSTORE_NATS, or nats in the configuration file",
  ]);
  expect(await problemsOf([...flags, "--retention-ms", "5", "--port", "0"])).toEqual([
    "--retention-ms: retentionMs has no meaning with engine jetstream: topics have their own",
    "a free port cannot be told to the other brokers: set cluster.address, or listen.port",
  ]);
});

test("what the other engine has is refused, and the directory that the image sets is not", async () => {
  const nats = ["--nats", "nats://a:4222"];
  const jetstream = ["--engine", "jetstream", ...nats];
  expect(await problemsOf(nats)).toEqual([
    "data is missing: say --data, LOGSTORE_DATA, or data in the configuration file",
    "--nats: nats has no meaning with engine files: say --engine jetstream",
  ]);
  expect(await problemsOf([...jetstream, "--data", "d"])).toEqual([
    "--data: data has no meaning with engine jetstream: it stores everything in NATS",
  ]);
  expect(await problemsOf([...jetstream, "--max-batch-bytes", "5"])).toEqual([
    "--max-batch-bytes: maxBatchBytes has no meaning with engine jetstream: topics have their own",
  ]);
  const parsed = parseCommandLine(jetstream) as CommandLine;
  expect((await loadConfig(parsed, { LOGSTORE_DATA: "d" })).config.engine).toBe("jetstream");
});

test("a broker shows its certificate and token to the others", async () => {
  const flags = ["--engine", "jetstream", "--nats", "nats://a:4222"];
  expect(connectOptions(await configOf(flags))).toEqual({ ownerOnly: true });
  const tls = ["--tls-cert-file", "c", "--tls-key-file", "k", "--cluster-broker-ca-file", "ca"];
  expect(connectOptions(await configOf([...flags, ...tls]))).toEqual({ ownerOnly: true, tls: { caFile: "ca" } });
  const token = join(temporaryDirectory(), "token");
  writeFileSync(token, "secret\n");
  const mutual = ["--tls-client-ca-file", "cca", "--cluster-broker-token-file", token];
  const options = connectOptions(await configOf([...flags, ...tls, ...mutual]));
  expect(options).toMatchObject({ tls: { caFile: "ca", certFile: "c", keyFile: "k" } });
  expect(await (options.token as () => Promise<string>)()).toBe("secret");
});

test("another broker that cannot be reached is logged once, and when it is back", () => {
  const lines: unknown[][] = [];
  const log = { warn: (...line: unknown[]) => lines.push(line), info: (...line: unknown[]) => lines.push(line) };
  const tell = peerLog(log as unknown as Logger);
  const [address, error] = ["b:1", new UnavailableError("refused")];
  tell({ type: "lost", address, error });
  for (let failures = 2; failures < 100; failures++) tell({ type: "retried", address, error, failures, lostMs: 1 });
  tell({ type: "restored", address, lostMs: 7 });
  expect(lines).toEqual([
    [{ broker: "b:1", err: error }, "another broker cannot be reached"],
    [{ broker: "b:1", lostMs: 7 }, "another broker can be reached again"],
  ]);
});

test("flags and variables are named as they were given", async () => {
  expect(await problemsOf(["--port", "x"], { LOGSTORE_DATA: "", LOGSTORE_INSECURE: "yes" })).toEqual([
    `LOGSTORE_DATA: data is a text that is not empty, not ""`,
    `--port: listen.port is a whole number from 0 to 65535, not "x"`,
    `LOGSTORE_INSECURE: insecure is true or false, not "yes"`,
  ]);
  expect(await problemsOf([])).toEqual([
    "data is missing: say --data, LOGSTORE_DATA, or data in the configuration file",
  ]);
});

test.for([
  ["--prot", `there is no flag --prot (did you mean "--port"?)`],
  ["--zzzzzz", "there is no flag --zzzzzz "],
  ["--port", "--port"],
])("a flag that makes no sense: %s", ([flag, problem]) => {
  expect(() => parseCommandLine(["--data", "d", flag!])).toThrow(problem);
});

test("two flags for the same key are an error", () => {
  expect(() => parseCommandLine(["--port", "1", "--listen-port", "2"])).toThrow("--port and --listen-port");
});

test("a file that is not YAML, not a mapping, or missing", async () => {
  expect((await problemsOf(["--config", file("data: [\n")]))[0]).toMatch(/logstore\.yaml:\d+:\d+: /);
  expect((await problemsOf(["--config", file("data: a\ndata: b\n")]))[0]).toMatch(/logstore\.yaml:2:1: .*unique/);
  expect((await problemsOf(["--config", file("- data\n")]))[0]).toMatch(/a mapping/);
  expect((await problemsOf(["--config", "/nowhere.yaml"]))[0]).toMatch(/nowhere\.yaml cannot be read: ENOENT/);
});

test("problems of access rules are reported at their position in the file", async () => {
  const access = file(
    "tokens:\n  - principal: ada\n    sha256: abc\nrules:\n  - principals: [ada]\n    topics: t\n  - principals: [ada]\n    operations: [reed]\njwt: { issuer: i, audience: a }\n",
    "access.yaml",
  );
  expect((await problemsOf(["--data", "d"], { LOGSTORE_ACCESS_FILE: access })).toSorted()).toEqual(
    [
      `${access}:3:5: tokens.0.sha256 is 64 hexadecimal digits, as logstore-server hash-token prints them, not "abc"`,
      `${access}:5:5: rules.0.operations is missing: a list`,
      `${access}:6:5: rules.0.topics is a list, not "t"`,
      `${access}:8:18: rules.1.operations.0 is "describe", "produce", "consume", "createTopic", "alterTopic", "deleteTopic", "deleteRecords", "snapshot", "restore", "allocateProducerId", "group" or "*", not "reed"`,
      `${access}:9:1: one of jwksFile, jwksUrl and publicKeyFile says where the keys are`,
    ].toSorted(),
  );
  const both = file(`data: d\naccess: { rules: [] }\naccessFile: ${access}\n`);
  expect(await problemsOf(["--config", both])).toEqual([`${both}:3:1: access and accessFile exclude each other`]);
});

test("other machines are admitted only if that is secure or explicitly requested", async () => {
  const open = ["--data", "d", "--host", "0.0.0.0"];
  expect(await problemsOf(open)).toEqual([expect.stringMatching(/^--host: .*tls.*access.*--insecure/)]);
  const halfway = file("data: d\nlisten: { host: example.org }\ntls: { certFile: c, keyFile: k }\n");
  expect(await problemsOf(["--config", halfway])).toEqual([expect.stringMatching(/no access control/)]);
  expect((await load([...open, "--insecure"])).config).toMatchObject({ listen: { host: "0.0.0.0" }, insecure: true });
  const secure = file(
    "data: d\nlisten: { host: example.org }\ntls: { certFile: c, keyFile: k }\naccess: { rules: [] }\n",
  );
  expect((await load(["--config", secure])).warnings).toEqual([]);
  for (const host of ["localhost", "::1", "127.0.0.2"]) {
    expect(await configOf(["--data", "d", "--host", host])).toMatchObject({ listen: { host } });
  }
  expect(await problemsOf(["--data", "d", "--host", "127.example.org"])).toHaveLength(1);
});

test("checking client certificates requires a CA", async () => {
  const tls = ["--data", "d", "--tls-cert-file", "c", "--tls-key-file", "k", "--tls-client-certificates"];
  expect(await problemsOf([...tls, "required"])).toEqual([expect.stringContaining("needs a clientCaFile")]);
  expect(await configOf([...tls, "none"])).toMatchObject({ tls: { clientCertificates: "none" } });
  expect(await problemsOf(["--data", "d", "--tls-cert-file", "c"])).toEqual([
    "tls.keyFile is missing: say --tls-key-file, LOGSTORE_TLS_KEY_FILE, or tls.keyFile in the configuration file",
  ]);
});

test("an unknown variable is only a warning, because others may have set it", async () => {
  const { warnings } = await load(["--data", "d"], { LOGSTORE_LISTEN_PROT: "1", OTHER: "2" });
  expect(warnings).toEqual([
    `the variable LOGSTORE_LISTEN_PROT means nothing here (did you mean "LOGSTORE_LISTEN_PORT"?)`,
  ]);
});

test("errors that only access control can detect are found, too", async () => {
  const rule = "{ principals: [a], operations: [produce], topics: ['a*b'] }";
  const config = file(`data: d\naccess: { rules: [${rule}] }\n`);
  expect(await problemsOf(["--config", config])).toEqual([expect.stringContaining("access.rules[0].topics")]);
});

test.for([
  ["log:\n  level: *missing\n", /logstore\.yaml:2:10: there is no anchor &missing/],
  [
    `a0: &a0 [x]\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`).join("\n")}\n`,
    /logstore\.yaml: .*alias/i,
  ],
] as const)("aliases of YAML that stand for nothing, or too much: %#", async ([text, problem]) => {
  expect(await problemsOf(["--config", file(text)])).toEqual([expect.stringMatching(problem)]);
});

test("an empty list is reported as such", async () => {
  const config = file("data: d\naccess:\n  rules:\n    - { principals: [ada], operations: [group], groups: [] }\n");
  expect(await problemsOf(["--config", config])).toEqual([
    expect.stringMatching(/:4:\d+: access\.rules\.0\.groups names nothing: leave it out, or name something$/),
  ]);
});

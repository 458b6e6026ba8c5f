/**
 * Fragments of programs in the packages' READMEs that need more code around them: encryption with
 * access control on both sides, and traces. They run as printed, except for the locations of files
 * and addresses.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";

const here = fileURLToPath(new URL("..", import.meta.url)); // the packages are resolved from here
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
if (!hasOpenssl) console.log("skipped: openssl is not installed");

/** The block of a page that contains a text. */
function fragment(page: string, text: string): string {
  const content = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  const blocks = [...content.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);
  const found = blocks.filter((block) => block.includes(text));
  expect(found).toHaveLength(1);
  return found[0]!;
}

function replaced(program: string, pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs).reduce((text, [what, by]) => {
    expect(text).toContain(what);
    return text.replace(what, by);
  }, program);
}

function run(program: string): string[] {
  const args = ["--input-type=module-typescript", "--eval", program];
  return execFileSync(process.execPath, args, { cwd: here, encoding: "utf8", timeout: 280_000 }).trimEnd().split("\n");
}

async function directoryOfTest(): Promise<string> {
  const directory = await temporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  return directory;
}

/**
 * Creates a certificate authority and a certificate for the loopback address, with the file names
 * of the READMEs.
 */
function makeCertificates(cwd: string): void {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd, stdio: "ignore" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...newKey, "-days", "2", "-subj", "/CN=CA", "-keyout", "ca.key", "-out", "ca.pem");
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-days",
    "2",
    "-subj",
    "/CN=Clients",
    "-keyout",
    "clients.key",
    "-out",
    "clients.pem",
  );
  const names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"];
  const issuer = ["-CA", "ca.pem", "-CAkey", "ca.key"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    ...issuer,
    ...names,
    "-days",
    "2",
    "-subj",
    "/CN=logs",
    "-keyout",
    "server.key",
    "-out",
    "server.pem",
  );
}

test.runIf(hasOpenssl)("a server with TLS and access control, and a client with a token", async () => {
  const directory = await directoryOfTest();
  makeCertificates(directory);
  const at = (name: string) => JSON.stringify(join(directory, name));
  const serving = replaced(fragment("packages/server-grpc/README.md", "updateAccess"), {
    '"0.0.0.0"': '"127.0.0.1", port: 0',
    '"server.pem"': at("server.pem"),
    '"server.key"': at("server.key"),
    '"clients.pem"': at("clients.pem"),
    '"b4f6…64 digits in all"': 'createHash("sha256").update(secret).digest("hex")',
    "await server.updateAccess": "await trying(); await server.updateAccess",
  });
  const calling = replaced(fragment("packages/client/README.md", "currentToken()"), {
    '"logs.example.com:7411"': "server.address",
    '"ca.pem"': at("ca.pem"),
  });
  const program = `
    import { createHash } from "node:crypto";
    import { connect } from "@logstore/client";
    import { Broker } from "@logstore/core";
    import { serve } from "@logstore/server-grpc";
    const secret = "s".repeat(40);
    const currentToken = async () => secret;
    const broker = await Broker.open(${at("data")});
    for (const topic of ["orders-1", "other"]) await broker.createTopic({ topic, partitions: 1, ifNotExists: true });
    const tryAppend = async (client, topic) => {
      const said = await client.append(topic, 0, [{ value: "v" }]).then(({ offset }) => offset, ({ code }) => code);
      console.log(topic, said);
    };
    const trying = async () => {
      ${calling}
      await tryAppend(client, "orders-1");
      await tryAppend(client, "other");
      await client.close();
    };
    ${serving}
    ${calling}
    await tryAppend(client, "orders-1");
    await client.close();
    await server.stop();
    await broker.close();`;
  expect(run(program)).toEqual(["orders-1 0", "other PERMISSION_DENIED", "orders-1 UNAUTHENTICATED"]);
  expect(run(program)).toEqual(["orders-1 1", "other PERMISSION_DENIED", "orders-1 UNAUTHENTICATED"]);
});

test("the processing of a record is traced as a part of its sending", () => {
  const program = `
    import { connect } from "@logstore/client";
    import { Broker } from "@logstore/core";
    import { context, propagation, trace } from "@opentelemetry/api";
    import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
    import { W3CTraceContextPropagator } from "@opentelemetry/core";
    import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
    ${fragment("packages/client/README.md", "traceContextOf").replace("tracer.startActiveSpan", "const traced = (record) => tracer.startActiveSpan")}
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const tracer = trace.getTracer("readme");
    const broker = await Broker.open(":memory:");
    const client = connect(broker);
    await client.createTopic("flights", { partitions: 1 });
    await client.producer("flights").send({ value: "v" });
    for await (const record of client.reader({ assign: { flights: [0] }, until: "latest" })) traced(record);
    await client.close();
    await broker.close();
    const spans = exporter.getFinishedSpans();
    const [sent] = spans.filter(({ name }) => name === "send flights");
    const [processed] = spans.filter(({ name }) => name === "process flights");
    console.log(processed.spanContext().traceId === sent.spanContext().traceId);`;
  expect(run(program)).toEqual(["true"]);
});

/**
 * docs/protocol.md compared with what it describes: it covers the .proto files completely, and its
 * examples are accurate.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Client, credentials } from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from "@grpc/proto-loader";
import { fnv1a32, fnvPartitioner, keyBytes } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { protoDirectory, protoFiles } from "@logstore/protocol";
import { serve } from "@logstore/server-grpc";
import { expect, onTestFinished, test } from "vitest";

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const sections = page.split(/^##+ /m);
const loaded = loadSync([...protoFiles], { keepCase: true, includeDirs: [fileURLToPath(protoDirectory)] });
const ours = Object.entries(loaded).filter(([name]) => name.startsWith("logstore.v1."));
const messages = ours
  .filter(([, definition]) => "serialize" in definition)
  .map(([name, { type }]) => ({
    message: name.replace("logstore.v1.", ""),
    fields: (type as { field: { name: string }[] }).field.map(({ name }) => toSnakeCase(name)),
  }));
const methods = ours.flatMap(([name, definition]) =>
  name.endsWith("Service") ? Object.keys(definition as ServiceDefinition) : [],
);

function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The bytes of the block that begins with ```` ```name ````. */
function blockOf(name: string): Buffer {
  const block = new RegExp(`\`\`\`${name}\n([\\s\\S]*?)\`\`\``).exec(page)![1]!;
  return Buffer.from(block.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, ""), "hex");
}

test.each(methods)("method %s has a section", (method) => {
  expect(sections.map((section) => section.split("\n")[0])).toContain(method);
});

test.each(messages)("$message is described with all its fields", ({ message, fields }) => {
  const about = sections.filter((section) => section.startsWith(`${message}\n`) || section.includes(`\`${message}\``));
  const missing = about.map((section) => fields.filter((field) => !section.includes(`\`${field}\``)));
  expect(missing.sort((a, b) => a.length - b.length)[0]).toEqual([]);
});

test("every oneof has a row with all its fields", () => {
  const text = protoFiles.map((file) => readFileSync(new URL(file, protoDirectory), "utf8")).join("");
  const rows = [...text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)].flatMap(([, message, body]) =>
    [...body!.matchAll(/^ {2}oneof (\w+) \{\n([\s\S]*?)^ {2}\}/gm)].map(([, name, of]) => {
      const fields = [...of!.matchAll(/^ {4}\S+ (\w+) = \d+;/gm)].map(([, field]) => `\`${field}\``);
      return `| \`${message}\` | \`${name}\` | ${fields.join(", ")} |`;
    }),
  );
  expect(rows.length).toBeGreaterThan(3);
  expect(rows.filter((row) => !page.includes(row))).toEqual([]);
});

test("every enum value is described, except for unspecified ones", () => {
  const text = protoFiles.map((file) => readFileSync(new URL(file, protoDirectory), "utf8")).join("");
  const values = [...text.matchAll(/^ {2}([A-Z][A-Z_]+) = \d+;/gm)].map((match) => match[1]!);
  expect(values.length).toBeGreaterThan(0);
  expect(values.filter((value) => !value.endsWith("_UNSPECIFIED") && !page.includes(value))).toEqual([]);
});

test("the test vectors of the partitioner", () => {
  const rows = [...page.matchAll(/^\| (\(empty\)|`[^`]+`) \| `([0-9a-f]{8})` \| (\d+) \| (\d+) \|$/gm)];
  expect(rows.length).toBeGreaterThan(3);
  for (const [, name, hash, of8, of10] of rows) {
    const key = keyBytes(name === "(empty)" ? "" : name!.slice(1, -1));
    expect([fnv1a32(key), fnvPartitioner.partition(key, 8), fnvPartitioner.partition(key, 10)], name).toEqual([
      Number.parseInt(hash!, 16),
      Number(of8),
      Number(of10),
    ]);
  }
});

test("the call, byte by byte, gets exactly this response from a server", async () => {
  const [request, answer] = [blockOf("request"), blockOf("answer")];
  // The gRPC prefix of a message: uncompressed, and its length.
  for (const bytes of [request, answer]) expect(bytes.subarray(0, 5)).toEqual(grpcPrefix(bytes.length - 5));
  const broker = await Broker.open(":memory:");
  const server = await serve(broker, { port: 0 });
  const client = new Client(server.address, credentials.createInsecure());
  onTestFinished(async () => {
    client.close();
    await server.stop();
    await broker.close();
  });
  await broker.createTopic({ topic: "t", partitions: 1 });
  const produce = () =>
    new Promise<Buffer>((resolve, reject) => {
      const asIs = (bytes: Buffer) => bytes;
      client.makeUnaryRequest("/logstore.v1.LogService/Produce", asIs, asIs, request.subarray(5), (error, response) =>
        error ? reject(error) : resolve(response!),
      );
    });
  expect((await produce()).toString("hex")).toBe(answer.subarray(5).toString("hex"));
  const error = await produce().catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 9 });
  const [details] = (error as { metadata: { get(key: string): Buffer[] } }).metadata.get("grpc-status-details-bin");
  expect(status(details!)).toMatchObject({ code: "WRONG_EXPECTED_OFFSET", expected: "0", actual: "3" });
});

function grpcPrefix(length: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

/** The ErrorDetail in a Status. */
function status(bytes: Buffer): object {
  const decode = (message: string, from: Buffer) => {
    const { type } = loaded[`logstore.v1.${message}`] as MessageTypeDefinition<object, object>;
    expect(type).toBeDefined();
    return (loaded[`logstore.v1.${message}`] as MessageTypeDefinition<object, object>).deserialize(from);
  };
  const { details } = decode("Status", bytes) as { details: { value: Buffer }[] };
  const detail = decode("ErrorDetail", details[0]!.value) as Record<string, unknown>;
  return { ...detail, expected: String(detail["expected"]), actual: String(detail["actual"]) };
}

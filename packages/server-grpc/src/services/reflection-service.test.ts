/** A client that uses only server reflection discovers the services and calls them. */
import { fileURLToPath } from "node:url";
import { loadFileDescriptorSetFromBuffer, loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { expect, test } from "vitest";
import { type ForeignClient, failure, type Message } from "../../test/foreign-client.js";
import { home } from "../../test/home.js";

const UNIMPLEMENTED = 12;

function reflectionMethod(version: "v1" | "v1alpha"): Message {
  const file = new URL(
    `build/proto/grpc/reflection/${version}/reflection.proto`,
    import.meta.resolve("@grpc/reflection/package.json"),
  );
  const loaded = loadSync(fileURLToPath(file), { oneofs: true, defaults: true });
  return (loaded[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition)["ServerReflectionInfo"];
}

/** Sends requests on one stream, and returns the responses in order. */
async function ask(client: ForeignClient, version: "v1" | "v1alpha", questions: Message[]): Promise<Message[]> {
  const call = client.otherStream(reflectionMethod(version));
  for (const question of questions) call.write(question);
  call.end();
  const answers: Message[] = [];
  for await (const answer of call) answers.push(answer);
  return answers;
}

/** The contents of the file descriptors in a response: field 1 of a FileDescriptorSet. */
function definitionsOf({ fileDescriptorResponse }: Message) {
  const files: Buffer[] = fileDescriptorResponse.fileDescriptorProto;
  const set = files.flatMap((file) => [Buffer.of(0x0a), varint(file.length), file]);
  return loadFileDescriptorSetFromBuffer(Buffer.concat(set), { longs: Number, defaults: true, oneofs: true });
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Buffer.of(...bytes, value);
}

test.each(["v1", "v1alpha"] as const)(
  "%s: services are listed, and a method that was found is called",
  async (version) => {
    const { client } = await home();
    const [list, log, health, missing] = await ask(client, version, [
      { listServices: "*" },
      { fileContainingSymbol: "logstore.v1.AdminService.DescribeTopic" },
      { fileContainingSymbol: "grpc.health.v1.Health" },
      { fileContainingSymbol: "logstore.v1.Nothing" },
    ]);
    const services = list.listServicesResponse.service.map(({ name }: Message) => name);
    expect(services).toEqual(
      expect.arrayContaining(["logstore.v1.LogService", "logstore.v1.AdminService", "grpc.health.v1.Health"]),
    );
    const definitions = definitionsOf(log);
    const { DescribeTopic } = definitions["logstore.v1.AdminService"] as Message;
    const { topic } = await client.other(DescribeTopic, { topic: "t" });
    expect(topic).toMatchObject({ topic: "t", partitions: [{ partition: 0 }, { partition: 1 }] });
    expect((definitionsOf(health)["grpc.health.v1.Health"] as Message).Watch).toMatchObject({ responseStream: true });
    expect(missing.errorResponse.errorCode).toBe(5);
  },
);

test("the message of errors is included with its dependencies", async () => {
  const { client } = await home();
  const [answer] = await ask(client, "v1", [{ fileContainingSymbol: "logstore.v1.Status" }]);
  const definitions = definitionsOf(answer) as Message;
  const value = definitions["logstore.v1.ErrorDetail"].serialize({ code: "UNKNOWN_TOPIC", partition: 0 });
  const status = definitions["logstore.v1.Status"].serialize({ code: 5, details: [{ typeUrl: "a", value }] });
  const back = definitions["logstore.v1.Status"].deserialize(status);
  const detail = definitions["logstore.v1.ErrorDetail"].deserialize(back.details[0].value);
  expect(detail).toMatchObject({ code: "UNKNOWN_TOPIC", partition: 0 });
  expect(detail).not.toHaveProperty("offset"); // an optional field that is not set
});

test("a client that sends many requests without reading gets all responses once it reads", async () => {
  const { client } = await home();
  const call = client.otherStream(reflectionMethod("v1"));
  const questions = 300; // some megabytes of responses
  for (let i = 0; i < questions; i++) call.write({ host: String(i), fileContainingSymbol: "logstore.v1.LogService" });
  call.end();
  const hosts: string[] = [];
  for await (const { originalRequest } of call) {
    if (hosts.length === 0) await new Promise((resolve) => setTimeout(resolve, 50)); // the server fills the peer's window
    hosts.push(originalRequest.host);
  }
  expect(hosts).toEqual(Array.from({ length: questions }, (_, i) => String(i)));
});

test("it can be switched off", async () => {
  const { client } = await home({ reflection: false });
  expect((await failure(ask(client, "v1", [{ listServices: "*" }]))).code).toBe(UNIMPLEMENTED);
});

test("a stop does not wait for an open call", async () => {
  const { client, server } = await home();
  const call = client.otherStream(reflectionMethod("v1"));
  call.on("error", () => {}).write({ listServices: "*" });
  await new Promise((resolve) => call.once("data", resolve));
  await server.stop();
});

/**
 * `buf curl`, a generic tool that learns the API only by reflection, against a plain server and one
 * with TLS and a token.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { Guard } from "./hostile/guard.ts";
import { ServerProcess } from "./server-process.ts";

const buf = fileURLToPath(new URL("../../packages/protocol/node_modules/.bin/buf", import.meta.url));
const run = promisify(execFile);

async function answer(...args: string[]): Promise<unknown> {
  return JSON.parse((await run(buf, ["curl", "--protocol", "grpc", ...args])).stdout);
}

async function started(...args: string[]): Promise<{ server: ServerProcess; directory: string }> {
  const directory = await temporaryDirectory();
  const server = await ServerProcess.start(join(directory, "data"), { args });
  onTestFinished(async () => {
    await server.stop();
    await removeDirectory(directory);
  });
  return { server, directory };
}

test("plain: every service is found, including health", async () => {
  const { server } = await started();
  const call = (method: string, data: object) =>
    answer("--http2-prior-knowledge", "--data", JSON.stringify(data), `http://${server.address}/${method}`);
  expect(await call("logstore.v1.AdminService/CreateTopic", { topic: "t", partitions: 1 })).toMatchObject({
    topic: { topic: "t" },
  });
  expect(await call("logstore.v1.AdminService/ListTopics", {})).toMatchObject({
    topics: [{ topic: "t", partitionCount: 1 }],
  });
  expect(await call("grpc.health.v1.Health/Check", { service: "topic/t" })).toEqual({ status: "SERVING" });
});

test("the commands in docs/protocol.md, in order", async () => {
  const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
  const lines = page.match(/^buf curl .*$/gm)!.filter((line) => !line.includes("--cacert")); // tested below
  expect(lines.length).toBeGreaterThan(5);
  const { server } = await started();
  const script = lines.join("\n").replaceAll("127.0.0.1:7411", server.address);
  const { stdout } = await run("sh", ["-euc", `buf() { "${buf}" "$@"; }\n${script}`]);
  expect(stdout).toContain("logstore.v1.ConsumerGroupService/ResetOffsets"); // --list-methods
  expect(stdout).toContain('"status": "SERVING"');
});

test("with TLS and a token", async () => {
  const guard = await Guard.create({ tls: true });
  onTestFinished(() => guard.remove());
  const { server, directory } = await started("--config", guard.configFile);
  const ca = join(directory, "ca.pem");
  await writeFile(ca, guard.ca.cert);
  const shown = ["--cacert", ca, "--header", `authorization: Bearer ${guard.token("owner")}`];
  const url = (method: string) => `https://localhost:${server.port}/${method}`;
  expect(await answer(...shown, url("logstore.v1.AdminService/ListTopics"))).toEqual({});
  expect(await answer(...shown, url("grpc.health.v1.Health/Check"))).toEqual({ status: "SERVING" });
});

/**
 * A server process that is stopped while producers send: everything acknowledged is there, and it
 * exits normally.
 */
import { connect, text } from "@logstore/client";
import { expect, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { ServerProcess } from "./server-process.ts";

const PARTITIONS = 4;

test("SIGTERM under load loses nothing that was acknowledged, and the exit code is 0", async () => {
  const directory = await temporaryDirectory();
  try {
    const server = await ServerProcess.start(directory);
    const client = connect(server.address);
    await client.createTopic("t", { partitions: PARTITIONS });
    const producer = client.producer("t", { batchBytes: 2_000 });
    const acknowledged = new Set<string>();
    const enough = Promise.withResolvers<void>();
    let isOver = false;
    const sending = Array.from({ length: 50 }, async (_, sender) => {
      for (let i = 0; !isOver; i++) {
        const value = `${sender}-${i}`;
        const sent = await producer.send({ key: String(sender), value }).catch(() => undefined);
        if (sent === undefined) return; // the server had exited
        acknowledged.add(value);
        if (acknowledged.size === 2_000) enough.resolve();
      }
    });
    await enough.promise;
    expect(await server.stop()).toBe(0);
    isOver = true;
    await client.close({ timeoutMs: 100 });
    await Promise.all(sending);

    const again = await ServerProcess.start(directory);
    const reader = connect(again.address);
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const found = new Set<string>();
    for await (const { value } of reader.reader({ assign: { t: partitions }, until: "latest", value: text() })) {
      found.add(value);
    }
    expect([...acknowledged].filter((value) => !found.has(value))).toEqual([]);
    await reader.close();
    expect(await again.stop()).toBe(0);
  } finally {
    await removeDirectory(directory);
  }
});

test("a slow reader does not delay the exit beyond the limit", async () => {
  const directory = await temporaryDirectory();
  try {
    const server = await ServerProcess.start(directory, { args: ["--drain-timeout-ms", "200"] });
    const client = connect(server.address);
    await client.createTopic("t", { partitions: 1 });
    const producer = client.producer("t");
    await producer.sendMany(Array.from({ length: 400 }, () => ({ value: "x".repeat(100_000) })));
    const records = client.reader({ assign: { t: [0] } })[Symbol.asyncIterator]();
    await records.next(); // reads no further: the other records wait in the server
    expect(await server.stop()).toBe(0);
    await records.return?.();
    await client.close();
  } finally {
    await removeDirectory(directory);
  }
});

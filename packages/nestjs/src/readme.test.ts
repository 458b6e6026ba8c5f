/** The example of the README, run as printed except for the address: twice in a row. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@logstore/server-grpc";
import { testBroker } from "@logstore/testing";
import { Logger } from "@nestjs/common";
import { expect, onTestFinished, test, vi } from "vitest";

const page = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const [example] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

test("the first application", async () => {
  await using broker = await testBroker();
  const server = await serve(broker.api, { port: 0 });
  const directory = mkdtempSync(fileURLToPath(new URL("readme-", import.meta.url)));
  onTestFinished(async () => {
    await server.stop();
    rmSync(directory, { recursive: true });
  });
  Logger.overrideLogger(false);
  expect(example).toContain('"localhost:7411"');
  const program = example!
    .replace("localhost:7411", server.address)
    .replace('group: "billing"', "$&, consumer: { commitIntervalMs: 20 }");
  const printed: string[] = [];
  vi.spyOn(console, "log").mockImplementation((...words) => void printed.push(words.join(" ")));
  for (let i = 0; i < 2; i++) {
    writeFileSync(join(directory, `${i}.ts`), `${program}\nexport { application };\n`);
    const { application } = await import(join(directory, `${i}.ts`));
    await broker.caughtUp("billing");
    await vi.waitUntil(() => printed.length === 2 * (i + 1), 10_000);
    await application.close();
  }
  expect(printed.toSorted()).toEqual(["bill ada 3", "bill ada 3", "durable at offset 0", "durable at offset 1"]);
});

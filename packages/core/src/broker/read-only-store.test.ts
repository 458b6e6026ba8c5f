/** A log store, read as the only topic of its directory. */
import { UnknownTopicError } from "@logstore/codec";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryStorage } from "../storage/memory-storage.js";
import { LogStore } from "../store/log-store.js";
import { Broker } from "./broker.js";
import { ReadOnlyBroker } from "./read-only-broker.js";

let storage: MemoryStorage;
let writer: LogStore;
let reader: ReadOnlyBroker;

beforeEach(async () => {
  storage = new MemoryStorage();
  writer = await LogStore.open("app/logs", { storage, partitions: 2 });
  reader = await ReadOnlyBroker.open("app/logs/", { storage });
});

afterEach(async () => {
  await reader.close();
  await writer.close();
});

test("its topic is named like the directory, and follows the writer", async () => {
  const [listed, ...others] = await reader.listTopics();
  expect(others).toEqual([]);
  expect(listed).toMatchObject({ topic: "logs", partitionCount: 2 });
  expect(listed!.topicId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  await writer.append("ada", "signed up", { partition: 1 });
  const { topicId, config, partitions } = await reader.describeTopic("logs");
  expect({ topicId, config }).toEqual({ topicId: listed!.topicId, config: {} });
  expect(partitions[1]).toEqual({ partition: 1, logStartOffset: 0, highWatermark: 1, logEndOffset: 1 });
  const waiting = reader.fetch({ topic: "logs", partition: 1, from: "latest", maxWaitMs: 600_000 });
  await writer.append("ada", "logged in", { partition: 1 });
  expect(await waiting).toMatchObject({ nextOffset: 2 });
});

test("it has no other topic, no groups and no snapshots", async () => {
  await expect(reader.describeTopic("orders")).rejects.toThrow(UnknownTopicError);
  await expect(reader.fetch({ topic: "orders", partition: 0 })).rejects.toThrow('its only topic is "logs"');
  expect(await reader.listGroups()).toEqual([]);
  expect(await reader.listSnapshots()).toEqual([]);
});

test("it is reopened under the same id, and a closed reader opens nothing", async () => {
  const listed = await reader.listTopics();
  await reader.close();
  await expect(reader.listTopics()).rejects.toMatchObject({ code: "CLOSED" });
  await expect(reader.fetch({ topic: "logs", partition: 0 })).rejects.toMatchObject({ code: "CLOSED" });
  await expect(reader.listGroups()).rejects.toMatchObject({ code: "CLOSED" });
  reader = await ReadOnlyBroker.open("app/logs", { storage });
  expect(await reader.listTopics()).toEqual(listed);
});

test("a snapshot of a topic has the topic's name", async () => {
  await using broker = await Broker.open("data", { storage });
  await broker.createTopic({ topic: "orders", partitions: 1, config: { retentionMs: 1000 } });
  await broker.topic("orders").append("ada", "paid");
  await broker.createSnapshot("orders", "monday");
  await using snapshot = await ReadOnlyBroker.open("data/snapshots/orders/monday", { storage });
  const { config, partitions } = await snapshot.describeTopic("orders");
  expect(config).toEqual({ retentionMs: 1000 });
  expect(partitions[0]).toMatchObject({ highWatermark: 1 });
});

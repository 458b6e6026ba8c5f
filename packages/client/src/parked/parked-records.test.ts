import type { HeaderInput } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { connect, type ParkedRecord } from "../index.js";

/** Gives the parked topic to the member of the replay. */
function assignParked(api: FakeLogApi, topicId?: string): void {
  const partitions = [{ topic: "t.g.parked", partition: 0, ...(topicId !== undefined && { topicId }) }];
  api.groups.onJoin = (one) => one.joined().tell({ type: "assignment", memberEpoch: 1, partitions, revoking: [] });
}

function parkedHeaders(more: Record<string, string> = {}): HeaderInput[] {
  const texts = { topic: "t", partition: "0", offset: "0", reason: "r", attempts: "1", time: "1", ...more };
  return Object.entries(texts).map(([name, value]) => ({ name: `logstore-parked-${name}`, value }));
}

test("a client that is closed during a replay leaves no member behind, also where the application hangs", async () => {
  const api = new FakeLogApi();
  api.fetchOffsets = async () => [];
  api.deleteRecords = async () => 0;
  assignParked(api);
  await api.createTopic({ topic: "t.g.parked", partitions: 1 });
  const client = connect(api);
  await client.producer("t.g.parked").send({ value: "v", headers: parkedHeaders() });
  const begun = Promise.withResolvers<void>();
  const replayed = client.parked("t", "g").replay({
    to() {
      begun.resolve();
      return new Promise(() => {});
    },
  });
  replayed.catch(() => {});
  await begun.promise;
  await client.close({ timeoutMs: 50 });
  expect(api.groups.memberships.map(({ said }) => said)).toEqual([["leave"]]);
  expect(api.openStreams).toBe(0);
});

test("every call of a replay names the topics by their ids", async () => {
  const api = new FakeLogApi();
  const deletedFrom: (string | undefined)[] = [];
  api.fetchOffsets = async () => [{ topic: "t.g.parked", partition: 0, offset: 0, metadata: "", committedAt: 0 }];
  api.deleteRecords = async (_topic, _partition, before, options) => {
    deletedFrom.push(`${before} ${options?.topicId}`);
    return 0;
  };
  assignParked(api, "id-of-t.g.parked");
  await api.createTopic({ topic: "t", partitions: 1 });
  await api.createTopic({ topic: "t.g.parked", partitions: 1 });
  const client = connect(api);
  onTestFinished(() => client.close());
  const park = (value: string, topicId: string) => {
    const headers = parkedHeaders({ "topic-id": topicId });
    return client.producer("t.g.parked").send({ value, headers });
  };
  await park("present", "id-of-t");
  await park("kept", "id-of-t");
  await park("former", "id-of-another-t");
  const parkedBefore = api.produced.length;

  const filter = ({ value }: ParkedRecord) => new TextDecoder().decode(value) !== "kept";
  const replayed = client.parked("t", "g").replay({ filter });
  await expect(replayed).rejects.toMatchObject({ code: "INCONSISTENT_TOPIC_ID", topic: "t" });
  expect(api.produced.slice(parkedBefore).map(({ topic, topicId }) => ({ topic, topicId }))).toEqual([
    { topic: "t", topicId: "id-of-t" },
    { topic: "t.g.parked", topicId: "id-of-t.g.parked" },
  ]);
  expect(deletedFrom).toEqual(["0 id-of-t.g.parked", "2 id-of-t.g.parked"]);
});

test("a record is not put back into another topic of the same name", async () => {
  const api = new FakeLogApi();
  api.fetchOffsets = async () => [{ topic: "t.g.parked", partition: 0, offset: 0, metadata: "", committedAt: 0 }];
  api.deleteRecords = async () => 0;
  assignParked(api, "id-of-t.g.parked");
  await api.createTopic({ topic: "t.g.parked", partitions: 1 });
  const client = connect(api);
  onTestFinished(() => client.close());
  await client.producer("t.g.parked").send({ value: "kept", headers: parkedHeaders() });
  const { length } = api.produced;
  const describe = api.describeTopic.bind(api);
  const filter = () => {
    api.describeTopic = async (...args) => ({ ...(await describe(...args)), topicId: "id-of-another" });
    return false;
  };
  const replayed = client.parked("t", "g").replay({ filter });
  await expect(replayed).rejects.toMatchObject({ code: "INCONSISTENT_TOPIC_ID", topic: "t.g.parked" });
  expect(api.produced).toHaveLength(length);
});

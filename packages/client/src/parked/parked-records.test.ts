import { expect, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { connect } from "../index.js";

test("a client that is closed during a replay leaves no member behind, also where the application hangs", async () => {
  const api = new FakeLogApi();
  api.fetchOffsets = async () => [];
  api.deleteRecords = async () => 0;
  api.groups.onJoin = (one) =>
    one.joined().tell({
      type: "assignment",
      memberEpoch: 1,
      partitions: [{ topic: "t.g.parked", partition: 0 }],
      revoking: [],
    });
  await api.createTopic({ topic: "t.g.parked", partitions: 1 });
  const client = connect(api);
  const texts = { topic: "t", partition: "0", offset: "0", reason: "r", attempts: "1", time: "1" };
  const headers = Object.entries(texts).map(([name, value]) => ({ name: `logstore-parked-${name}`, value }));
  await client.producer("t.g.parked").send({ value: "v", headers });
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

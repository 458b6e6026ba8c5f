import { expect, test } from "vitest";
import { fieldCount } from "./field-count.js";
import { loadProto } from "./load-proto.js";
import { wellFormed } from "./malformed.js";

const { groupService } = loadProto();
const partitions = (count: number) => Array.from({ length: count }, (_, partition) => ({ topic: "topic", partition }));

test("counts entries, including those of a long nested message", () => {
  const { requestSerialize } = groupService["FetchOffsets"]!;
  expect(fieldCount(requestSerialize({ group: "g", partitions: partitions(500) }))).toBe(501);
  const revoked = groupService["JoinGroup"]!.requestSerialize({
    revoked: { memberEpoch: 1, partitions: partitions(5000) },
  });
  expect(fieldCount(revoked)).toBe(5002);
  expect(fieldCount(Buffer.from([0xff, 0xff, 0xff]))).toBe(1);
  expect(fieldCount(Buffer.alloc(0))).toBe(0);
});

test("a request with too many entries is refused before they are decoded", () => {
  const { requestSerialize, requestDeserialize } = groupService["FetchOffsets"]!;
  const received = requestDeserialize(requestSerialize({ group: "g", partitions: partitions(60_000) }));
  expect(() => wellFormed(received)).toThrow("request less at a time");
  const some = requestDeserialize(requestSerialize({ group: "g", partitions: partitions(10_000) }));
  expect(wellFormed<{ partitions: unknown[] }>(some as never).partitions).toHaveLength(10_000);
});

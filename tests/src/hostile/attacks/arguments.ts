/** Well-formed calls with impossible arguments. */
import { readdirSync } from "node:fs";
import { Metadata } from "@grpc/grpc-js";
import type { Attack, Target } from "../attack.ts";
import { smallBatch } from "../raw-batch.ts";
import { type Answer, encode, Stranger } from "../stranger.ts";
import { tally } from "../verdict.ts";
import { type Call, call, callsOf } from "./topic-calls.ts";

const MIN = "-9223372036854775808";
const MAX = "9223372036854775807";

/** Every call must be refused with one of these codes. */
function refused(name: string, calls: readonly Call[], codes: readonly string[]): Attack {
  return {
    name,
    async run({ address, surroundings, onEnd }: Target) {
      const stranger = new Stranger(address);
      onEnd(() => stranger.close());
      const before = readdirSync(surroundings);
      const answers: Answer[] = [];
      for (const { path, request } of calls) {
        const answer = await stranger.call(path, request);
        answers.push(answer);
        if (codes.includes(answer.detail ?? "")) continue;
        throw new Error(`${path} of ${request.toString("hex", 0, 100)} was answered with ${JSON.stringify(answer)}`);
      }
      const after = readdirSync(surroundings);
      if (after.length > before.length) throw new Error(`there are ${after.join(", ")} beside the data`);
      return tally(answers.map(({ detail }) => detail ?? "taken"));
    },
  };
}

const names = [
  "../../etc",
  "..",
  ".",
  "/etc/passwd",
  "a/b",
  "a\\b",
  "..\\..\\x",
  "a\0b",
  "\0",
  "",
  " ",
  "-\n-",
  "zoë",
  "\u202egnp.exe",
  "😀",
  "%2e%2e%2f",
  "CON:",
  "x".repeat(250),
  "x".repeat(1_000_000),
  "../".repeat(5_000),
  "__proto__/x",
];

/** As names of topics, of snapshots, and of the topic of a restore. */
const pathLike = names.flatMap((name) => [
  ...callsOf(name),
  call("AdminService/CreateSnapshot", "CreateSnapshotRequest", { topic: "victim", snapshot: name }),
  call("AdminService/DeleteSnapshot", "DeleteSnapshotRequest", { topic: "victim", snapshot: name }),
  call("AdminService/RestoreSnapshot", "RestoreSnapshotRequest", { topic: "victim", snapshot: name, newTopic: "new" }),
  call("AdminService/RestoreSnapshot", "RestoreSnapshotRequest", { topic: "victim", snapshot: "s", newTopic: name }),
  // An empty name would list all snapshots.
  ...(name === "" ? [] : [call("AdminService/ListSnapshots", "ListSnapshotsRequest", { topic: name })]),
]);

const unknownPartitions = [2 ** 32 - 1, 2 ** 31, 1_000_000].flatMap((partition) => [
  call("LogService/Produce", "ProduceRequest", { topic: "victim", partition, batches: smallBatch() }),
  call("LogService/Fetch", "FetchRequest", { topic: "victim", partition }),
  call("AdminService/DeleteRecords", "DeleteRecordsRequest", { topic: "victim", partition, before: { offset: 0 } }),
]);

/** Field 2, `partition`, as a varint of ten bytes that encodes -1. */
const negative = Buffer.of(0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
const negativePartitions = [
  ["LogService/Produce", encode("ProduceRequest", { topic: "victim", batches: smallBatch() })] as const,
  ["LogService/Fetch", encode("FetchRequest", { topic: "victim" })] as const,
].map(([method, request]) => ({ path: `/logstore.v1.${method}`, request: Buffer.concat([request, negative]) }));

const position = { partition: 0, position: { time: 1 } };
const manyPositions = [10_001, 1_000_000].map((count) =>
  call("LogService/ListOffsets", "ListOffsetsRequest", {
    topic: "victim",
    partitions: new Array<object>(count).fill(position),
  }),
);

const offsets = [MIN, MAX, "-1", "9007199254740992", "-9007199254740993"].flatMap((offset) => [
  call("LogService/Produce", "ProduceRequest", { topic: "victim", expectedOffset: offset, batches: smallBatch() }),
  call("LogService/Fetch", "FetchRequest", { topic: "victim", from: { offset } }),
  call("AdminService/DeleteRecords", "DeleteRecordsRequest", { topic: "victim", before: { offset } }),
]);

const times = [MIN, MAX].flatMap((time) => [
  call("LogService/Fetch", "FetchRequest", { topic: "victim", from: { time } }),
  call("LogService/ListOffsets", "ListOffsetsRequest", { topic: "victim", partitions: [{ position: { time } }] }),
  call("AdminService/DeleteRecords", "DeleteRecordsRequest", { topic: "victim", before: { time } }),
]);

const manyPartitions = [10_001, 1_000_000, 2 ** 32 - 1].map((partitions) =>
  call("AdminService/CreateTopic", "CreateTopicRequest", { topic: "large", partitions }),
);

const configs = [
  { partitions: 0 },
  ...[MIN, MAX, "-1"].flatMap((value) =>
    ["segmentBytes", "maxBatchBytes", "retentionMs", "retentionBytes"].map((name) => ({
      partitions: 1,
      config: { [name]: value },
    })),
  ),
].map((fields) => call("AdminService/CreateTopic", "CreateTopicRequest", { topic: "extreme", ...fields }));

export const argumentAttacks: readonly Attack[] = [
  refused("names that look like paths", pathLike, ["INVALID_ARGUMENT", "UNKNOWN_TOPIC"]),
  refused("partitions that do not exist", [...unknownPartitions, ...negativePartitions], ["UNKNOWN_PARTITION"]),
  refused("offsets at the ends of int64", offsets, [
    "INVALID_ARGUMENT",
    "OFFSET_OUT_OF_RANGE",
    "WRONG_EXPECTED_OFFSET",
  ]),
  refused("times at the ends of int64", times, ["INVALID_ARGUMENT"]),
  refused("10,001 and a million positions in one call", manyPositions, ["INVALID_ARGUMENT"]),
  refused("topics of 10,001, a million and four billion partitions", manyPartitions, ["INVALID_ARGUMENT"]),
  refused("configurations out of range", configs, ["INVALID_ARGUMENT"]),
  {
    name: "unusual metadata",
    async run({ address, onEnd, random }: Target) {
      const stranger = new Stranger(address);
      onEnd(() => stranger.close());
      const answers: Answer[] = [];
      for (const [key, value] of [
        ["grpc-timeout", "99999999H"],
        ["grpc-timeout", "x"],
        ["grpc-encoding", "nonsense"],
        ["traceparent", "00-zz-zz-zz"],
        ["authorization", `Bearer ${"x".repeat(5_000)}`],
        ["__proto__", "x"],
        ["x-bin", Buffer.from(Array.from({ length: 100 }, () => Math.floor(random() * 256)))],
      ] as const) {
        const metadata = new Metadata();
        metadata.set(key, value);
        answers.push(await stranger.call("/logstore.v1.AdminService/ListTopics", Buffer.alloc(0), metadata));
      }
      return tally(answers.map(({ status, message }) => (status === 0 ? "answered" : message)));
    },
  },
];

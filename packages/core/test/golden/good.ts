/** Directories without any fault. */
import {
  afterwards,
  atEnd,
  closedPartition,
  type Files,
  flipped,
  hex,
  inDirectory,
  killedPartition,
  plainBatches,
  readable,
  T0,
} from "./directory.ts";
import type { ExpectedBroker, ExpectedStore } from "./expected.ts";
import {
  batchBytes,
  brokerJson,
  type GoldenBatch,
  indexBytes,
  indexName,
  logName,
  producerIdsBytes,
  segmentBytes,
  storeJson,
  topicJson,
  watermarksBytes,
} from "./format.ts";

export interface GoodDirectory<Expected> {
  readonly files: Files;
  readonly expected: Expected;
}

/** Offsets 6 to 21: batches of every kind. */
const kinds: Record<number, readonly GoldenBatch[]> = {
  6: [
    {
      baseOffset: 6,
      appendTime: T0 + 100,
      flushedUpTo: 6,
      producer: [7, 0, 4],
      records: [
        { timestamp: T0 + 90, key: "user-1", value: "deleted" },
        { timestamp: T0 + 80, key: null, value: "deleted too, though its batch is still there" },
        { timestamp: T0 + 95, key: "", value: "the first" },
      ],
    },
    {
      baseOffset: 9,
      appendTime: T0 + 100,
      flushedUpTo: 6,
      baseTimestamp: T0,
      records: [
        {
          timestamp: T0 + 200,
          key: "zoë",
          value: "signed up",
          headers: [
            ["trace", "a1"],
            ["trace", ""],
          ],
        },
        { timestamp: T0 - 86_400_000, key: "k".repeat(130), value: "€" },
      ],
    },
    { baseOffset: 11, appendTime: T0 + 150, flushedUpTo: 11, records: [{ timestamp: 0, key: null, value: "" }] },
  ],
  12: [
    {
      baseOffset: 12,
      appendTime: T0 + 200,
      flushedUpTo: 12,
      gzip: "H4sIAAAAAAACA+tkZGAtSExPNSrLTC1XIIlgTUxPzSthSS4tyilgAhtCuhkZLAykawIA3RGDzrQAAAA=",
      records: [
        { timestamp: T0 + 200, key: "page", value: "view ".repeat(10), headers: [["agent", "curl"]] },
        { timestamp: T0 + 201, key: "page", value: "view ".repeat(10) },
        { timestamp: T0 + 202, key: null, value: "view ".repeat(10) },
      ],
    },
    {
      baseOffset: 15,
      appendTime: T0 + 300,
      flushedUpTo: 15,
      zstd: "KLUv/SCUZQEA6IQBAAVwYWdlbGVhdmUgnQECPAVhZ2VudAR3Z2V0BABZB5gQ5x5BGJazKAE=",
      records: [
        { timestamp: T0 + 300, key: "page", value: "leave ".repeat(10) },
        { timestamp: T0 + 301, key: "page", value: "leave ".repeat(10), headers: [["agent", "wget"]] },
      ],
    },
    {
      baseOffset: 17,
      appendTime: T0 + 300,
      flushedUpTo: 15,
      producer: [9_007_199_254_740_991, 65_534, 4_294_967_295],
      records: [{ timestamp: T0 + 300, key: null, value: "the sequence begins anew behind this one" }],
    },
  ],
  18: [
    {
      baseOffset: 18,
      appendTime: T0 + 400,
      flushedUpTo: 18,
      producer: [7, 1, 0],
      records: [
        { timestamp: T0 + 400, key: "user-1", value: "a new epoch" },
        { timestamp: T0 + 401, key: "user-2", value: "b" },
      ],
    },
    {
      baseOffset: 20,
      appendTime: T0 + 500,
      flushedUpTo: 20,
      producer: [7, 1, 2],
      records: [{ timestamp: T0 + 500, key: "user-1", value: "c" }],
    },
    { baseOffset: 21, appendTime: T0 + 500, flushedUpTo: 20, records: [{ timestamp: -1, key: null, value: "1969" }] },
  ],
};

/** Long enough for three index entries; offsets 2, 3 and 4 have the same append time. */
const long: Record<number, readonly GoldenBatch[]> = {
  0: [0, 1, 2, 2, 2, 3, 3].map((ms, offset) => ({
    baseOffset: offset,
    appendTime: T0 + ms,
    flushedUpTo: offset,
    records: [{ timestamp: T0, key: null, value: String(offset).repeat(6000) }],
  })),
  7: plainBatches(7, 8),
};

const lostBatch: GoldenBatch = {
  baseOffset: 3,
  appendTime: T0 + 3,
  flushedUpTo: 3,
  records: [
    { timestamp: T0, key: null, value: "lost" },
    { timestamp: T0, key: null, value: "lost too" },
  ],
};
/**
 * Offsets 3 and 4 were lost to bit rot, and so were 8 and 9, which were the end of the log then.
 */
const repaired: Record<number, readonly GoldenBatch[]> = {
  0: plainBatches(0, 3),
  5: plainBatches(5, 8),
  10: plainBatches(10, 11),
};
const gaps = [
  [3, 5],
  [8, 10],
] as const;

const recovered: Record<number, readonly GoldenBatch[]> = { 0: plainBatches(0, 3) };

export function goodStore(): GoodDirectory<ExpectedStore> {
  const producers = [
    [3, 0, 2, [[0, 2, 2]]],
    [9_007_199_254_740_991, 65_534, 0, [[4_294_967_295, 1, 17]]],
    [
      7,
      1,
      3,
      [
        [0, 2, 18],
        [2, 1, 20],
      ],
    ],
  ];
  const {
    [indexName(0)]: _,
    [indexName(10)]: __,
    ...gapped
  } = closedPartition(repaired, {
    lastAppendTime: T0 + 7,
    gaps,
  });
  const rotten = flipped(batchBytes(lostBatch), 80);
  const files: Files = {
    "store.json": storeJson(5),
    watermarks: watermarksBytes([
      [8, 22],
      [0, 8],
      [0, 11],
      [0, 0],
      [0, 3],
    ]),
    ...inDirectory("0", closedPartition(kinds, { logStart: 8, producers })),
    ...inDirectory("1", closedPartition(long)),
    ...inDirectory("2", {
      ...gapped,
      [`00000000000000000000.${segmentBytes(repaired[0]!).length}.0c4e77b2.damaged`]: rotten,
      [`00000000000000000005.${segmentBytes(repaired[5]!).length}.51d0a9e4.damaged`]:
        Buffer.from("what was left of it"),
    }),
    ...inDirectory("4", {
      ...closedPartition(recovered),
      [`00000000000000000000.${segmentBytes(recovered[0]!.slice(0, 2)).length}.9f3a01c7.torn`]: batchBytes(
        plainBatches(2, 3)[0]!,
      ).subarray(0, 50),
      "notes.txt": Buffer.from("Somebody else's: it is left alone.\n"),
    }),
  };
  const partitions = [
    {
      ...readable(Object.values(kinds).flat(), 8),
      times: [
        [0, 8],
        [T0 + 100, 8],
        [T0 + 101, 11],
        [T0 + 200, 12],
        [T0 + 300, 15],
        [T0 + 301, 18],
        [T0 + 500, 20],
        [T0 + 501, 22],
      ],
      producers: [
        [3, 0, 0, 2, 2],
        [3, 0, 3, 1, "OUT_OF_ORDER_SEQUENCE"],
        [9_007_199_254_740_991, 65_534, 4_294_967_295, 1, 17],
        [9_007_199_254_740_991, 65_534, 1, 1, "OUT_OF_ORDER_SEQUENCE"],
        [7, 0, 7, 1, "PRODUCER_FENCED"],
        [7, 1, 0, 2, 18],
        [7, 1, 2, 1, 20],
        [7, 1, 3, 1, 22],
        [9_007_199_254_740_991, 65_534, 0, 1, 23],
        [3, 0, 2, 1, 24],
      ],
    },
    {
      ...readable(Object.values(long).flat()),
      times: [
        [T0, 0],
        [T0 + 1, 1],
        [T0 + 2, 2],
        [T0 + 3, 5],
        [T0 + 4, 7],
        [T0 + 8, 8],
      ],
    },
    readable(Object.values(repaired).flat()),
    { start: 0, end: 0, records: [] },
    readable(recovered[0]!),
  ] as const;
  return {
    files,
    expected: {
      about:
        "A store that was closed: batches of every kind, deleted records, gaps, leftovers of an earlier recovery and repair.",
      is: "store",
      recovery: [],
      partitions,
      findings: [],
      after: afterwards(files),
    },
  };
}

/** Partition 0: three batches after the checkpoint, all of one producer. */
const killed: Record<number, readonly GoldenBatch[]> = {
  0: [
    {
      baseOffset: 0,
      appendTime: T0,
      flushedUpTo: 0,
      producer: [7, 0, 10],
      records: [{ timestamp: T0, key: "a", value: "1" }],
    },
    {
      baseOffset: 1,
      appendTime: T0 + 1,
      flushedUpTo: 1,
      producer: [7, 0, 11],
      records: [{ timestamp: T0 + 1, key: "a", value: "2" }],
    },
    {
      baseOffset: 2,
      appendTime: T0 + 2,
      flushedUpTo: 2,
      producer: [7, 0, 12],
      records: [
        { timestamp: T0 + 2, key: "a", value: "3" },
        { timestamp: T0 + 2, key: "a", value: "4" },
      ],
    },
  ],
};
/** Partition 1: its next segment was created, but nothing was written to it. */
const rolling: Record<number, readonly GoldenBatch[]> = { 0: plainBatches(0, 2), 2: [] };

export function killedStore(): GoodDirectory<ExpectedStore> {
  const justBegun = killedPartition({ 0: [] })["checkpoint"]!;
  const files: Files = {
    "store.json": storeJson(2, { unknown: "fields are ignored" }),
    lock: Buffer.from("12345\n"),
    watermarks: watermarksBytes([
      [0, 2],
      [0, 2],
    ]),
    ...inDirectory("0", {
      ...killedPartition(killed),
      [logName(0)]: Buffer.concat([segmentBytes(killed[0]!), Buffer.alloc(200)]),
      "checkpoint.tmp": Buffer.from('{"formatVersion":1,"logSt'),
    }),
    ...inDirectory("1", { ...killedPartition(rolling), checkpoint: justBegun }),
  };
  const [all, other] = [readable(killed[0]!), readable(rolling[0]!)];
  const producers = [
    [
      7,
      0,
      14,
      [
        [10, 1, 0],
        [11, 1, 1],
        [12, 2, 2],
      ],
    ],
  ];
  return {
    files,
    expected: {
      about:
        "A store whose writer was killed between two writes, with zeros ahead in partition 0; a new segment in partition 1 is empty yet.",
      is: "store",
      recovery: [],
      partitions: [
        {
          ...all,
          producers: [
            [7, 0, 10, 1, 0],
            [7, 0, 12, 2, 2],
            [7, 0, 15, 1, "OUT_OF_ORDER_SEQUENCE"],
            [7, 0, 14, 1, 4],
          ],
        },
        other,
      ],
      readOnly: [readable(killed[0]!, 0, 2), other],
      findings: [],
      after: afterwards(files, {
        lock: undefined,
        watermarks: hex(
          watermarksBytes([
            [0, 4],
            [0, 2],
          ]),
        ),
        "0/checkpoint.tmp": undefined,
        [`0/${logName(0)}`]: { bytesOf: `0/${logName(0)}`, from: 0, to: segmentBytes(killed[0]!).length },
        [`0/${indexName(0)}`]: hex(indexBytes(0, killed[0]!)),
        "0/checkpoint": { checkedJson: { formatVersion: 1, ...atEnd(killed), producers } },
        [`1/${indexName(2)}`]: hex(indexBytes(2, [])),
        "1/checkpoint": { checkedJson: { formatVersion: 1, ...atEnd(rolling) } },
      }),
    },
  };
}

/** Nothing was appended since the end of the log was lost. */
export function gapAtTheEnd(): GoodDirectory<ExpectedStore> {
  const segments: Record<number, readonly GoldenBatch[]> = { 0: plainBatches(0, 3), 5: [] };
  const { [indexName(0)]: _, [indexName(5)]: __, ...partition } = closedPartition(segments, { gaps: [[3, 5]] });
  const files: Files = {
    "store.json": storeJson(1),
    watermarks: watermarksBytes([[0, 5]]),
    ...inDirectory("0", partition),
  };
  return {
    files,
    expected: {
      about: "A store whose last records were lost, as repair leaves it: a gap, and an empty segment behind it.",
      is: "store",
      recovery: [],
      partitions: [readable(segments[0]!, 0, 5)],
      findings: [],
      after: afterwards(files),
    },
  };
}

/** A topic with one partition of three records. */
export function topic(name: string, config: Readonly<Record<string, unknown>> = {}): Files {
  return {
    "topic.json": topicJson(name, config),
    "store.json": storeJson(1),
    watermarks: watermarksBytes([[0, 3]]),
    ...inDirectory("0", closedPartition({ 0: plainBatches(0, 3) })),
  };
}

export function goodBroker(): GoodDirectory<ExpectedBroker> {
  const config = { durability: "written", segmentBytes: 1_048_576, retentionMs: 3_600_000_000_000 };
  const staying: Files = {
    "broker.json": brokerJson(),
    "producer-ids": producerIdsBytes(2001),
    ...inDirectory("topics/0011223344556677", {
      "topic.json": topicJson("web-logs"),
      "store.json": storeJson(2),
      watermarks: watermarksBytes([
        [0, 4],
        [0, 0],
      ]),
      ...inDirectory("0", closedPartition({ 0: plainBatches(0, 2), 2: plainBatches(2, 4) })),
    }),
    ...inDirectory("topics/8899aabbccddeeff", topic("orders_v1.eu-west", config)),
    ...inDirectory("topics/0123456789abcdef", { "notes.txt": Buffer.from("No topic: it is passed over.\n") }),
  };
  const files: Files = {
    ...staying,
    ...inDirectory("topics/fedcba9876543210.new", { "topic.json": topicJson("half-made"), "store.json": storeJson(1) }),
    ...inDirectory("topics/7766554433221100.deleted", {
      "topic.json": topicJson("half-gone"),
      "store.json": storeJson(1),
      [`0/${logName(0)}`]: segmentBytes(plainBatches(0, 1)),
    }),
  };
  return {
    files,
    expected: {
      about: "A broker that was closed: two topics, one that was being made, one that was being deleted.",
      is: "broker",
      topics: [
        {
          topic: "orders_v1.eu-west",
          directory: "topics/8899aabbccddeeff",
          config,
          partitions: [readable(plainBatches(0, 3))],
        },
        {
          topic: "web-logs",
          directory: "topics/0011223344556677",
          config: {},
          partitions: [readable(plainBatches(0, 4)), { start: 0, end: 0, records: [] }],
        },
      ],
      unreadable: [
        {
          directory: "topics/0123456789abcdef",
          error: { code: "NOT_A_LOG_STORE", file: "topics/0123456789abcdef/topic.json" },
        },
      ],
      producerId: 2001,
      after: afterwards(staying),
    },
  };
}

/** Directories with one fault each, and what docs/format specifies for it. */
import {
  afterwards,
  atEnd,
  closedPartition,
  type Files,
  flipped,
  hex,
  inDirectory,
  killedPartition,
  lengthOf,
  plainBatches,
  readable,
  recordsOf,
  type Segments,
  T0,
} from "./directory.ts";
import type { ExpectedBroker, ExpectedError, ExpectedPartition, ExpectedRefusal, ExpectedStore } from "./expected.ts";
import {
  batchBytes,
  brokerJson,
  checkpointBytes,
  crc32c,
  type GoldenBatch,
  indexBytes,
  indexName,
  indexOf,
  logName,
  producerIdsBytes,
  segmentBytes,
  storeJson,
  watermarksBytes,
} from "./format.ts";
import type { GoodDirectory } from "./good.ts";
import { topic } from "./good.ts";

export type CorruptDirectory = GoodDirectory<ExpectedStore | ExpectedBroker | ExpectedRefusal>;

/** Four batches in one segment; three segments of which the last is active. */
const four = plainBatches(0, 4);
const segmented: Segments = { 0: plainBatches(0, 2), 2: plainBatches(2, 4), 4: plainBatches(4, 5) };
const [five, size] = [plainBatches(0, 5), lengthOf(plainBatches(0, 1))];

/** A store of one partition. */
function storeOf(partition: Files, highWatermark: number): Files {
  return {
    "store.json": storeJson(1),
    watermarks: watermarksBytes([[0, highWatermark]]),
    ...inDirectory("0", partition),
  };
}

/** What opening a store of one partition finds: nothing, unless specified. */
function opened(
  about: string,
  files: Files,
  partition: ExpectedPartition,
  more: Partial<Omit<ExpectedStore, "is">> = {},
): GoodDirectory<ExpectedStore> {
  const nothing = { recovery: [], partitions: [partition], findings: [], after: afterwards(files) };
  return { files, expected: { about, is: "store", ...nothing, ...more } };
}

function damageAt(offset: number, segment: number, byte: number): ExpectedError {
  return { code: "CORRUPT_PARTITION", partition: 0, offset, file: `0/${logName(segment)}`, byte };
}

/** Bytes after the last intact batch that were never known to be durable. */
function tornTail(about: string, sound: readonly GoldenBatch[], tail: Buffer, partition: Files) {
  const [log, byte] = [logName(0), lengthOf(sound)];
  const files = storeOf({ ...partition, [log]: Buffer.concat([segmentBytes(sound), tail]) }, sound.length);
  const whole = { bytesOf: `0/${log}`, from: 0, to: byte };
  const cut = { ...whole, from: byte, to: byte + tail.length };
  return opened(about, files, readable(sound), {
    recovery: [{ partition: 0, tornTail: { file: `0/${log}`, byte, length: tail.length } }],
    after: afterwards(files, {
      [`0/${log}`]: whole,
      [`0/${log.replace(".log", `.${byte}.????????.torn`)}`]: cut,
      [`0/${indexName(0)}`]: hex(indexBytes(0, sound)),
      "0/checkpoint": { checkedJson: { formatVersion: 1, ...atEnd({ 0: sound }) } },
    }),
  });
}

const brokenTails = {
  "torn-tail": tornTail(
    "The write of the last batch was torn.",
    plainBatches(0, 3),
    batchBytes(four[3]!).subarray(0, 50),
    killedPartition({ 0: four }),
  ),
  "trailing-garbage": tornTail(
    "Somebody else wrote behind the last batch of a store that was closed.",
    four,
    Buffer.from("this is no batch, though LSB\u0001 is in it\n"),
    closedPartition({ 0: four }),
  ),
  "rot-in-the-last-batch": tornTail(
    "A bit of the very last batch is turned, and no checkpoint is behind it: this looks like a torn tail.",
    plainBatches(0, 3),
    flipped(batchBytes(four[3]!), 76),
    killedPartition({ 0: four }),
  ),
};

/**
 * Zeros in place of batches that were never known to be durable: at most as many as are
 * preallocated.
 */
function zeroedTail(): CorruptDirectory {
  const [log, rest] = [segmentBytes(four.slice(0, 3)), four.slice(0, 3)];
  const files = storeOf({ ...killedPartition({ 0: four }), [logName(0)]: Buffer.concat([log, Buffer.alloc(300)]) }, 3);
  return opened("A power cut left zeros where the last batches were to be.", files, readable(rest), {
    after: afterwards(files, {
      [`0/${logName(0)}`]: { bytesOf: `0/${logName(0)}`, from: 0, to: log.length },
      [`0/${indexName(0)}`]: hex(indexBytes(0, rest)),
      "0/checkpoint": { checkedJson: { formatVersion: 1, ...atEnd({ 0: rest }) } },
    }),
  });
}

function zeroedBelowRecoveryPoint(): CorruptDirectory {
  const log = Buffer.concat([segmentBytes(four.slice(0, 3)), Buffer.alloc(size)]);
  const files = storeOf(
    { ...killedPartition({ 0: four }), checkpoint: closedPartition({ 0: four })["checkpoint"]! },
    4,
  );
  const damaged = { ...files, [`0/${logName(0)}`]: log };
  const partition: ExpectedPartition = {
    ...readable(four),
    records: recordsOf(four.slice(0, 3)),
    error: damageAt(3, 0, 3 * size),
  };
  return opened("The last batch, which the checkpoint knows, is zeros.", damaged, partition, {
    findings: [
      { kind: "damage", partition: 0, file: `0/${logName(0)}`, byte: 3 * size, length: size, offset: 3, nextOffset: 4 },
    ],
    repaired: [{ start: 0, end: 4, offsets: [0, 1, 2] }],
  });
}

function rotBelowRecoveryPoint(): CorruptDirectory {
  const log = flipped(segmentBytes(segmented[2]!), size + 76);
  const files = storeOf({ ...closedPartition(segmented), [logName(2)]: log }, 5);
  const partition: ExpectedPartition = {
    start: 0,
    end: 5,
    records: recordsOf(plainBatches(0, 3)),
    error: damageAt(3, 2, size),
    behind: { from: 4, records: recordsOf(plainBatches(4, 5)) },
  };
  return opened("A bit is turned in a record below the recovery point.", files, partition, {
    findings: [
      { kind: "damage", partition: 0, file: `0/${logName(2)}`, byte: size, length: size, offset: 3, nextOffset: 4 },
    ],
    repaired: [{ start: 0, end: 5, offsets: [0, 1, 2, 4] }],
  });
}

/** Bit rot in a batch that was durable according to the next one. */
function rotProven(about: string, ahead: Buffer): CorruptDirectory {
  const log = Buffer.concat([flipped(segmentBytes(four), size + 76), ahead]);
  const files = storeOf({ ...killedPartition({ 0: four }), [logName(0)]: log }, 4);
  const damage = damageAt(1, 0, size);
  const partition: ExpectedPartition = { start: 0, end: 1, records: recordsOf(four.slice(0, 1)), error: damage };
  return opened(about, files, partition, {
    recovery: [{ partition: 0, damage }],
    findings: [
      { kind: "damage", partition: 0, file: `0/${logName(0)}`, byte: size, length: size, offset: 1, nextOffset: 2 },
    ],
    repaired: [{ start: 0, end: 4, offsets: [0, 2, 3] }],
    after: afterwards(files, { watermarks: hex(watermarksBytes([[0, 4]])) }),
  });
}

function missingMiddleSegment(): CorruptDirectory {
  const { [logName(2)]: _, ...rest } = closedPartition(segmented);
  const partition: ExpectedPartition = {
    start: 0,
    end: 5,
    records: recordsOf(plainBatches(0, 2)),
    error: damageAt(2, 0, 2 * size),
    behind: { from: 4, records: recordsOf(plainBatches(4, 5)) },
  };
  return opened("A segment between two others is missing.", storeOf(rest, 5), partition, {
    findings: [
      { kind: "damage", partition: 0, file: `0/${logName(0)}`, byte: 2 * size, length: 0, offset: 2, nextOffset: 4 },
    ],
    repaired: [{ start: 0, end: 5, offsets: [0, 1, 4] }],
  });
}

function missingLastSegment(): CorruptDirectory {
  const { [logName(4)]: _, ...rest } = closedPartition(segmented);
  const files = storeOf(rest, 5);
  const damage = damageAt(4, 2, 2 * size);
  const partition: ExpectedPartition = { start: 0, end: 4, records: recordsOf(plainBatches(0, 4)), error: damage };
  return opened("The segment that the checkpoint names is missing.", files, partition, {
    recovery: [{ partition: 0, damage }],
    findings: [
      { kind: "damage", partition: 0, file: `0/${logName(2)}`, byte: 2 * size, length: 0, offset: 4, nextOffset: 5 },
    ],
    repaired: [{ start: 0, end: 5, offsets: [0, 1, 2, 3] }],
    after: afterwards(files, { watermarks: hex(watermarksBytes([[0, 5]])) }),
  });
}

function missingFirstSegment(): CorruptDirectory {
  const { [logName(0)]: _, ...rest } = closedPartition(segmented);
  const files = storeOf(rest, 5);
  const damage = damageAt(0, 2, 0);
  const partition: ExpectedPartition = { start: 0, end: 0, records: [], error: damage };
  return opened("The segment that holds the log start offset is missing.", files, partition, {
    recovery: [{ partition: 0, damage }],
    findings: [{ kind: "damage", partition: 0, file: `0/${logName(2)}`, byte: 0, length: 0, offset: 0, nextOffset: 2 }],
    repaired: [{ start: 2, end: 5, offsets: [2, 3, 4] }],
    after: afterwards(files, { watermarks: hex(watermarksBytes([[0, 5]])) }),
  });
}

/** The entries point into the middle of a batch, and would mislead a reader that trusted them. */
const misleading = [
  [0, 0, T0],
  [1, 33, T0],
] as const;

function wrongIndex(about: string, content: Buffer): CorruptDirectory {
  const files = storeOf({ ...closedPartition(segmented), [indexName(0)]: content }, 5);
  const partition: ExpectedPartition = {
    ...readable(five),
    times: [
      [T0 + 1, 1],
      [T0 + 2, 2],
    ],
  };
  return opened(about, files, partition, {
    findings: [{ kind: "index", partition: 0, file: `0/${logName(0)}`, byte: 0, length: 0, offset: 0, nextOffset: 0 }],
    repaired: [{ start: 0, end: 5, offsets: [0, 1, 2, 3, 4] }],
  });
}

/**
 * One bit of the first entry's position is flipped, so that it points into the batch. Everything
 * else is unchanged, including the checksum.
 */
function damagedIndex(): Buffer {
  const right = indexOf(0, 2 * size, [[0, 0, T0]]);
  return flipped(right, 28);
}

/** Valid except for its version. */
function newerIndex(): Buffer {
  const index = indexOf(0, 2 * size, misleading);
  index[3] = 2;
  index.writeUInt32LE(crc32c(index.subarray(0, -4)), index.length - 4);
  return index;
}

/**
 * Without its checkpoint a store finds everything again, including deleted records whose files
 * still exist.
 */
function withCheckpoint(about: string, content: (right: Buffer) => Buffer): CorruptDirectory {
  const segments: Segments = {
    0: plainBatches(0, 2),
    2: plainBatches(2, 4).map((batch) => ({ ...batch, producer: [7, 0, batch.baseOffset] as const })),
  };
  const producers = [
    [
      7,
      0,
      4,
      [
        [2, 1, 2],
        [3, 1, 3],
      ],
    ],
  ];
  const closed = closedPartition(segments, { logStart: 1, producers });
  const files = {
    ...storeOf({ ...closed, checkpoint: content(closed["checkpoint"]!) }, 4),
    watermarks: watermarksBytes([[1, 4]]),
  };
  const found: ExpectedPartition = {
    ...readable(Object.values(segments).flat()),
    producers: [
      [7, 0, 2, 1, 2],
      [7, 0, 5, 1, "OUT_OF_ORDER_SEQUENCE"],
      [7, 0, 4, 1, 4],
    ],
  };
  return opened(about, files, found, {
    readOnly: [readable(plainBatches(1, 4))], // the watermarks contain the log start
    after: afterwards(files, {
      watermarks: hex(watermarksBytes([[0, 4]])),
      "0/checkpoint": { checkedJson: { formatVersion: 1, ...atEnd(segments), producers } },
    }),
  });
}

/** The checkpoint's bytes with the next format version, and a valid checksum. */
function newerCheckpoint(right: Buffer): Buffer {
  const { formatVersion: _, ...fields } = JSON.parse(right.toString("utf8").split("\n")[0]!);
  const [line] = checkpointBytes(fields).toString().split("\n");
  const newer = Buffer.from(`${line!.replace('"formatVersion":1', '"formatVersion":2')}\n`);
  return Buffer.concat([newer, Buffer.from(`${crc32c(newer).toString(16).padStart(8, "0")}\n`)]);
}

function checkpointAhead(): CorruptDirectory {
  const checkpoint = checkpointBytes({ ...atEnd({ 0: five }) });
  const files = storeOf({ ...closedPartition({ 0: four }), checkpoint }, 4);
  const damage = damageAt(4, 0, 4 * size);
  return opened(
    "The checkpoint tells of a batch that the log does not have.",
    files,
    { ...readable(four), error: damage },
    {
      recovery: [{ partition: 0, damage }],
      findings: [
        { kind: "damage", partition: 0, file: `0/${logName(0)}`, byte: 4 * size, length: 0, offset: 4, nextOffset: 5 },
      ],
      repaired: [{ start: 0, end: 5, offsets: [0, 1, 2, 3] }],
      after: afterwards(files, { watermarks: hex(watermarksBytes([[0, 5]])) }),
    },
  );
}

function newerBatch(): CorruptDirectory {
  const newer = batchBytes(four[3]!);
  newer[3] = 2;
  newer.writeUInt32LE(crc32c(newer.subarray(0, 32)), 32);
  const log = Buffer.concat([segmentBytes(four.slice(0, 3)), newer]);
  const files = storeOf({ ...killedPartition({ 0: four }), [logName(0)]: log }, 4);
  const damage = damageAt(3, 0, 3 * size);
  return opened(
    "The last batch is of format version 2.",
    files,
    { ...readable(four.slice(0, 3)), error: damage },
    {
      recovery: [{ partition: 0, damage }],
      findings: [
        {
          kind: "damage",
          partition: 0,
          file: `0/${logName(0)}`,
          byte: 3 * size,
          length: size,
          offset: 3,
          nextOffset: 4,
        },
      ],
      after: afterwards(files, { watermarks: hex(watermarksBytes([[0, 4]])) }),
    },
  );
}

/**
 * Segment 2 had offsets 2 to 4 before somebody restored a copy of segment 0 that extends to offset
 * 4.
 */
function overlappingSegment(): CorruptDirectory {
  const partition: ExpectedPartition = {
    start: 0,
    end: 5,
    records: recordsOf(four),
    error: damageAt(4, 0, 4 * size),
    behind: { from: 4, records: recordsOf(plainBatches(4, 5)) },
  };
  const files = storeOf(closedPartition({ ...segmented, 0: four }), 5);
  return opened("A segment begins before the one before it ends.", files, partition, { findings: "some" });
}

function damagedWatermarks(): CorruptDirectory {
  const two = watermarksBytes([
    [1, 2],
    [0, 2],
  ]);
  const files: Files = {
    "store.json": storeJson(2),
    watermarks: flipped(two, 9),
    ...inDirectory("0", closedPartition({ 0: four })),
    ...inDirectory("1", closedPartition({ 0: four })),
  };
  return opened("A bit of the first slot is turned; the second is older than the log.", files, readable(four), {
    partitions: [readable(four), readable(four)],
    readOnly: [readable(four), readable(four.slice(0, 2))],
    after: afterwards(files, {
      watermarks: hex(
        watermarksBytes([
          [0, 4],
          [0, 4],
        ]),
      ),
    }),
  });
}

function refused(about: string, files: Files, error: ExpectedError, is: "store" | "broker" = "store") {
  return { files, expected: { about, is, refused: error } } as const;
}

const sound = storeOf(closedPartition({ 0: four }), 4);
const notAStore: ExpectedError = { code: "NOT_A_LOG_STORE", file: "store.json" };
const { "store.json": whole, ...withoutStoreJson } = sound;

const refusals = {
  "newer-store": refused(
    "store.json is of format version 2.",
    { ...sound, "store.json": storeJson(1, { formatVersion: 2 }) },
    { code: "UNSUPPORTED_FORMAT_VERSION", file: "store.json", expected: 1, actual: 2 },
  ),
  "newer-broker": refused(
    "broker.json is of format version 2.",
    { "broker.json": brokerJson(2), ...inDirectory("topics/0011223344556677", topic("a")) },
    { code: "UNSUPPORTED_FORMAT_VERSION", file: "broker.json", expected: 1, actual: 2 },
    "broker",
  ),
  "half-store-json": refused(
    "store.json ends in the middle.",
    { ...sound, "store.json": whole!.subarray(0, 60) },
    notAStore,
  ),
  "missing-store-json": refused("store.json is missing.", withoutStoreJson, notAStore),
  "foreign-directory": refused(
    "The directory is another program's.",
    {
      "config.yaml": Buffer.from("logs: true\n"),
      "0/00000000000000000000.log": Buffer.from("GET / 200\n"),
    },
    notAStore,
  ),
};

/** Two topics, one of which has a fault, and a file with the producer ids. */
function broker(about: string, changes: Files, more: Partial<ExpectedBroker>): CorruptDirectory {
  const files: Files = {
    "broker.json": brokerJson(),
    "producer-ids": producerIdsBytes(1001),
    ...inDirectory("topics/0011223344556677", topic("a")),
    ...inDirectory("topics/8899aabbccddeeff", topic("b")),
    ...changes,
  };
  const topics = [
    { topic: "a", directory: "topics/0011223344556677", config: {}, partitions: [readable(plainBatches(0, 3))] },
    { topic: "b", directory: "topics/8899aabbccddeeff", config: {}, partitions: [readable(plainBatches(0, 3))] },
  ];
  const expected = { topics, unreadable: [], producerId: 1001, after: afterwards(files) };
  return { files, expected: { about, is: "broker", ...expected, ...more } };
}

function damagedTopicJson(): CorruptDirectory {
  const directory = "topics/0011223344556677";
  const file = `${directory}/topic.json`;
  const [, other] = (broker("", {}, {}).expected as ExpectedBroker).topics;
  return broker(
    "A topic.json ends in the middle.",
    { [file]: topic("a")["topic.json"]!.subarray(0, 12) },
    {
      topics: [other!],
      unreadable: [{ directory, error: { code: "NOT_A_LOG_STORE", file } }],
    },
  );
}

export const corruptDirectories: Readonly<Record<string, CorruptDirectory>> = {
  ...brokenTails,
  "zeroed-tail": zeroedTail(),
  "zeros-below-the-recovery-point": zeroedBelowRecoveryPoint(),
  "rot-below-the-recovery-point": rotBelowRecoveryPoint(),
  "rot-that-a-later-batch-proves": rotProven(
    "A bit is turned behind the recovery point, in a batch that a later one proves durable.",
    Buffer.alloc(0),
  ),
  "rot-and-zeros-ahead": rotProven(
    "The same, and the writer was killed: there are zeros ahead, which are nobody's damage.",
    Buffer.alloc(100),
  ),
  "missing-middle-segment": missingMiddleSegment(),
  "missing-last-segment": missingLastSegment(),
  "missing-first-segment": missingFirstSegment(),
  "overlapping-segment": overlappingSegment(),
  "stale-index": wrongIndex("An index is of a log that was shorter.", indexOf(0, size, misleading)),
  "damaged-index": wrongIndex("A bit of an index is turned.", damagedIndex()),
  "newer-index": wrongIndex("An index is of format version 2.", newerIndex()),
  "damaged-checkpoint": withCheckpoint("A digit of the checkpoint is another.", (right) => flippedDigit(right)),
  "half-checkpoint": withCheckpoint("The checkpoint ends in the middle.", (right) => right.subarray(0, 40)),
  "newer-checkpoint": withCheckpoint("The checkpoint is of format version 2.", newerCheckpoint),
  "checkpoint-ahead-of-the-log": checkpointAhead(),
  "newer-batch": newerBatch(),
  "damaged-watermarks": damagedWatermarks(),
  "damaged-topic-json": damagedTopicJson(),
  "damaged-producer-ids": broker(
    "A digit of the file with the producer ids is another.",
    { "producer-ids": Buffer.from(producerIdsBytes(1001).toString().replace("1001", "2001")) },
    { producerId: { code: "STORAGE_FAILED", file: "producer-ids" } },
  ),
  ...refusals,
};

/** Still valid JSON, which only the checksum rejects. */
function flippedDigit(right: Buffer): Buffer {
  return Buffer.from(right.toString().replace('"recoveryPoint":4', '"recoveryPoint":6'));
}

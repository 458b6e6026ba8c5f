/** The contents of the golden files, written by hand. */
import type { ProducerStamp, RecordInput, ServerHalf } from "../../../src/index.js";

export interface Golden {
  readonly records: readonly (RecordInput & { readonly timestamp: number })[];
  readonly stamp?: ProducerStamp;
  readonly serverHalf?: ServerHalf;
  readonly compression?: "gzip" | "zstd";
}

const oneRecord = [{ timestamp: 1_700_000_000_000, key: "user-1", value: "hello" }];

const threeRecords = [
  { timestamp: 1_700_000_000_000, key: null, value: "hello" },
  { timestamp: 1_699_999_999_999, key: "", value: "" },
  {
    timestamp: 1_700_000_000_200,
    key: "zoë",
    value: "signed up",
    headers: [
      { name: "trace", value: "a1" },
      { name: "trace", value: "" },
    ],
  },
];

export const golden: Readonly<Record<string, Golden>> = {
  "one-record": { records: oneRecord },
  "three-records": { records: threeRecords },
  "large-varints": {
    records: [
      { timestamp: 0, key: "k".repeat(127), value: "v".repeat(8192) },
      { timestamp: 4_503_599_627_370_495, key: null, value: "late" },
      { timestamp: -4_503_599_627_370_495, key: null, value: "early" },
      {
        timestamp: 64,
        key: "h",
        value: "w".repeat(127),
        headers: [{ name: "n".repeat(128), value: "x".repeat(16384) }],
      },
    ],
  },
  "before-1970": {
    records: [
      { timestamp: -1, key: null, value: "old" },
      { timestamp: 0, key: null, value: "epoch" },
    ],
  },
  assigned: {
    records: threeRecords,
    serverHalf: { baseOffset: 4_294_967_301, appendTime: 1_700_000_000_123, flushedUpTo: 4_294_967_290 },
  },
  "producer-stamped": {
    records: ["a", "b", "c"].map((value) => ({ timestamp: 1_700_000_000_000, key: null, value })),
    stamp: { producerId: 9_007_199_254_740_991, producerEpoch: 65_534, baseSequence: 4_294_967_294 },
  },
  gzip: { records: threeRecords, compression: "gzip" },
  zstd: { records: threeRecords, compression: "zstd" },
};

/** Defects of the codec. */
import { type Defect, within } from "./defect.ts";

export const codecDefects: readonly Defect[] = [
  ...within("codec/call-all.ts", ["src/call-all.test.ts"], {
    "a function that throws keeps the others from being called": [
      "      errors.push(error);\n",
      "      throw error;\n",
    ],
  }),
  ...within("codec/record-batch.ts", ["test/golden.test.ts", "test/damage.test.ts", "test/fuzz/fuzz.test.ts"], {
    "does not verify the records' checksum": ["if (actual === expected) return;", "if (actual >= 0) return;"],
    "verifies all but the first field": [
      "crc32c(this.bytes, layout.PRODUCER_ID_OFFSET)",
      "crc32c(this.bytes, layout.BASE_TIMESTAMP_OFFSET)",
    ],
    "believes any records length": ["if (recordsLength > limits.maxRecordsBytes) {", "if (recordsLength < 0) {"],
  }),
  ...within("codec/check-header.ts", ["test/golden.test.ts", "test/damage.test.ts", "test/fuzz/fuzz.test.ts"], {
    "does not check the header's checksum": [
      "if (crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) !== readU32(bytes, at + layout.SERVER_CRC_OFFSET)) {",
      "if (crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) < 0) {",
    ],
    "believes any batch length": ["if (length > limits.maxBatchBytes) {", "if (length < 0) {"],
  }),
  ...within("codec/unpack-records.ts", ["test/golden.test.ts", "test/damage.test.ts", "test/fuzz/fuzz.test.ts"], {
    "does not count what it unpacked": ["if (records.length === length) return;", "return;"],
  }),
  ...within("codec/record-batch.ts", ["src/compression.test.ts"], {
    "keeps the memory of records that it has checked": ["      release?.();\n", ""],
  }),
  ...within("codec/unpack-records.ts", ["src/compression.test.ts"], {
    "keeps the memory of records that are not whole": ["    unpacked?.release?.();\n", ""],
  }),
  ...within("codec/record-cursor.ts", ["test/golden.test.ts", "test/damage.test.ts", "test/fuzz/fuzz.test.ts"], {
    "reads beyond a batch's end": [
      'if (end > this.#end) throw this.#corrupt("a record is longer than its batch");',
      "",
    ],
    "reads beyond a record's end": ["this.#keyEnd > end || this.#valueEnd > end", "false"],
    "takes a record for ordinary that is longer than its batch": ["keyEnd > end || end > this.#end", "keyEnd > end"],
    "takes a record for ordinary whose key is longer": ["keyEnd > end || end > this.#end", "end > this.#end"],
    "takes a record with headers for ordinary": ["(mark & 1) === 0 && (mark | delta", "(mark | delta"],
    "takes a longer varint for two bytes": ["(mark | delta | keyMark) < 0x4000 && ", ""],
    "leaves bytes over": ["if (this.#recordEnd !== this.#end) throw", "if (this.#recordEnd < 0) throw"],
  }),
  ...within(
    "codec/ordinary-records.ts",
    ["src/ordinary-records.test.ts", "test/damage.test.ts", "test/fuzz/fuzz.test.ts"],
    {
      "lets a key through that is longer than its record": [
        "at + keyMark - 1) <= recordEnd",
        "at + keyMark - 1) <= end",
      ],
    },
  ),
  ...within("codec/validate-batch.ts", ["src/validate-batch.test.ts", "test/damage.test.ts"], {
    "accepts a batch with records that nobody can read": ["batch.verify().checkRecords();", "batch.verify();"],
    "accepts any number of batches that unpack": [
      "if (recordsLength > limits.maxRecordsBytes) {",
      "if (recordsLength < 0) {",
    ],
  }),
  ...within("codec/server-half.ts", ["src/server-half.test.ts"], {
    "believes a header without its checksum": [
      "if (!hasSoundServerHalf(bytes, at)) return undefined;",
      "if (bytes.length - at < layout.PRODUCER_CRC_OFFSET) return undefined;",
    ],
    "takes any bytes for a newer batch": [
      "return crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) === readU32(bytes, at + layout.SERVER_CRC_OFFSET);",
      "return true;",
    ],
  }),
  ...within("codec/crc32c-tables.ts", ["src/crc32c.test.ts", "test/golden.test.ts"], {
    "uses the polynomial of another CRC-32": ["0x82f63b78", "0xedb88320"],
  }),
  ...within("codec/crc32c.ts", ["src/crc32c.test.ts", "test/golden.test.ts"], {
    "skips the last bytes": ["for (; i < end; i++) crc", "for (; i < end - 1; i++) crc"],
  }),
  ...within("codec/crc32c-folding.ts", ["src/crc32c-folding.test.ts"], {
    "takes up the bytes of an earlier input": ["    memory.fill(0, at - windowBytes, at);\n", ""],
    "begins each piece anew": ["addState(this.#memory, ~before);", "addState(this.#memory, ~0);"],
    "begins a short rest anew": ["this.#lookUp(DATA, dataEnd, ~before)", "this.#lookUp(DATA, dataEnd, ~0)"],
    "loses the last bytes": ["this.#lookUp(at, dataEnd, 0)", "this.#lookUp(at, at + NEAR_BYTES, 0)"],
  }),
  ...within("codec/platform/node.ts", ["src/platform/node.test.ts", "src/compression.test.ts"], {
    "unpacks gzip to any length": [
      "zlib.gunzipSync(bytes, { maxOutputLength: maxBytes })",
      "zlib.gunzipSync(bytes, { maxOutputLength: 2 ** 30 + 0 * maxBytes })",
    ],
    "keeps what it could not unpack": ["      release(first ?? (unpacking as WithOutBuffer)._outBuffer);\n", ""],
    "unpacks to any length on another thread": [
      "if (length > maxBytes) unpacking.destroy",
      "if (false) unpacking.destroy",
    ],
  }),
];

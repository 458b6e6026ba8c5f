/**
 * Makes batches of values in memory and reads them, beside copies with a checksum:
 * `codec-alone.ts ROUNDS BATCHES VALUE_BYTES`.
 */
import { crc32c, frameBatches, RecordBatchBuilder } from "@logstore/codec";
import { Sink, Source } from "../../contestants/values.ts";
import { inTurns, rate, timed } from "../../statistics/rounds.ts";

/** Values a second in each round. */
export type CodecReport = Record<"copy" | "encode" | "encodeZstd" | "slice" | "decode" | "decodeZstd", number[]>;

const BATCH = 1_000;
const LENGTH_BYTES = 4;
/** More than a record and its share of the header add to a value. */
const ROOM_BYTES = 32;

const [rounds, batches, valueBytes] = process.argv.slice(2).map(Number) as [number, number, number];
const count = batches * BATCH;

function encode(compression: "none" | "zstd"): Uint8Array[] {
  const sealed: Uint8Array[] = [];
  const source = new Source({ count, valueBytes, batch: BATCH });
  for (let batch = source.next(); batch !== undefined; batch = source.next()) {
    const builder = new RecordBatchBuilder({ compression, targetBytes: BATCH * (valueBytes + ROOM_BYTES) });
    for (const value of batch.values) builder.append(null, value, batch.base);
    sealed.push(builder.seal());
  }
  return sealed;
}

function decode(sealed: readonly Uint8Array[]): void {
  const sink = new Sink(valueBytes);
  for (const bytes of sealed) {
    for (const batch of frameBatches(bytes)) {
      for (const cursor = batch.verify().cursor(); cursor.next(); ) sink.use(cursor.value);
    }
  }
  sink.expect(count);
}

function copy(): Uint8Array[] {
  const copies: Uint8Array[] = [];
  const source = new Source({ count, valueBytes, batch: BATCH });
  for (let batch = source.next(); batch !== undefined; batch = source.next()) {
    const bytes = Buffer.allocUnsafeSlow(LENGTH_BYTES + BATCH * (LENGTH_BYTES + valueBytes));
    let at = LENGTH_BYTES;
    for (const value of batch.values) {
      bytes.writeUInt32LE(value.length, at);
      bytes.set(value, at + LENGTH_BYTES);
      at += LENGTH_BYTES + value.length;
    }
    bytes.writeUInt32LE(crc32c(bytes.subarray(LENGTH_BYTES)), 0);
    copies.push(bytes);
  }
  return copies;
}

function slice(copies: readonly Uint8Array[]): void {
  const sink = new Sink(valueBytes);
  for (const bytes of copies) {
    for (let at = LENGTH_BYTES; at < bytes.length; at += LENGTH_BYTES + valueBytes) {
      sink.use(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + valueBytes));
    }
  }
  sink.expect(count);
}

const made = { copies: copy(), plain: encode("none"), zstd: encode("zstd") };
const runs = await inTurns(rounds, {
  copy: () => timed(count, () => void copy()),
  encode: () => timed(count, () => void encode("none")),
  encodeZstd: () => timed(count, () => void encode("zstd")),
  slice: () => timed(count, () => slice(made.copies)),
  decode: () => timed(count, () => decode(made.plain)),
  decodeZstd: () => timed(count, () => decode(made.zstd)),
});
const rates = Object.entries(runs).map(([what, measured]) => [what, measured.map(rate)]);
console.log(JSON.stringify(Object.fromEntries(rates)));

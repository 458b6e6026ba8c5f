/** Run by browser.test.ts in a separate process: the built package without Node's features. */
import { print } from "./like-a-browser.mjs";

const { RecordBatch, RecordBatchBuilder, validateBatches } = await import("@logstore/codec");

const codeOf = (run) => {
  try {
    run();
    return "no error";
  } catch (error) {
    return error.code;
  }
};
const text = (bytes) => bytes && new TextDecoder().decode(bytes);

function seal(compression) {
  const builder = new RecordBatchBuilder({ compression });
  builder.append("zoë", "value ".repeat(100), 1_700_000_000_000, [{ name: "trace", value: "a1" }]);
  builder.append(null, Uint8Array.of(0, 255), 1_700_000_000_001);
  return builder.seal();
}

const sealed = seal("none");
const [first, second] = RecordBatch.parse(sealed).verify();
const [accepted] = validateBatches(sealed);
const damaged = Uint8Array.from(sealed);
damaged[100] ^= 1;
const foreign = Uint8Array.from(sealed);
foreign[0] = 0;

print(
  JSON.stringify({
    buffer: typeof Buffer,
    class: sealed.constructor.name,
    first: [text(first.key), text(first.value), first.timestamp, first.headers[0].name, text(first.headers[0].value)],
    second: [second.key, [...second.value], second.timestamp],
    accepted: accepted.recordCount,
    bytes: [...sealed],
    gzip: codeOf(() => seal("gzip")),
    zstd: codeOf(() => seal("zstd")),
    damaged: codeOf(() => RecordBatch.parse(damaged).verify()),
    foreign: codeOf(() => RecordBatch.parse(foreign)),
  }),
);

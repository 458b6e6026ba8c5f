/** Seals a batch and reads it again; in a browser, the page's text is the result. */
import { RecordBatch, RecordBatchBuilder, validateBatches } from "@logstore/codec";

const builder = new RecordBatchBuilder();
builder.append("key", "Hello", 1_700_000_000_000);
builder.append(null, "World", 1_700_000_000_001);
const sealed = builder.seal();
const [accepted] = validateBatches(sealed);
const values = [...RecordBatch.parse(sealed).verify()].map(({ value }) => new TextDecoder().decode(value));
sealed[sealed.length - 1] ^= 1;
let found = "nothing";
try {
  RecordBatch.parse(sealed).verify();
} catch ({ code }) {
  found = code;
}
const result = `${values.join(" ")}, ${accepted.recordCount} records, ${found}`;
if (typeof document === "undefined") console.log(result);
else document.body.textContent = result;

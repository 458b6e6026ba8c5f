/**
 * Defects in the code that passes on bytes without a copy, or must not do so.
 * The conveyor alone must detect each of them, with the scenarios given.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import type { QuickScenario } from "../../conveyor/quick.ts";
import { type Defect, within } from "./defect.ts";

function seenBy(
  scenarios: readonly QuickScenario[],
  path: Parameters<typeof within>[0],
  edits: Parameters<typeof within>[2],
): Defect[] {
  return within(path, [], edits).map((defect) => ({ ...defect, scenarios }));
}

export const conveyorDefects: readonly Defect[] = [
  ...seenBy(["slow readers", "bare readers"], "server-grpc/services/consume-stream.ts", {
    "frees a message before HTTP/2 has sent it": [
      "      writeMessage(this.#call, event, resolve);\n",
      '      writeMessage(this.#call, event, resolve);\n      if (event.type === "batches") event.release?.();\n',
    ],
  }),
  ...seenBy(["large messages", "slow readers"], "server-grpc/transport/write-message.ts", {
    "takes a message for sent when HTTP/2 has it": [
      "  stream.write(framed, done);",
      "  stream.write(framed);\n  setImmediate(done);",
    ],
  }),
  ...seenBy(["slow readers", "bare readers"], "core/engine/read/buffers.ts", {
    "reads into two buffers in turn": [
      "  return Buffer.allocUnsafeSlow(headroomBytes + length).subarray(headroomBytes);",
      `  const size = 64 * 1024 * 1024;
  const two = ((globalThis as { two?: Buffer[] }).two ??= [Buffer.alloc(size), Buffer.alloc(size)]);
  two.reverse();
  return two[0]!.subarray(headroomBytes, headroomBytes + length);`,
    ],
  }),
  ...seenBy(["embedded readers", "slow readers"], "core/engine/read/read-ahead.ts", {
    "reads ahead into the buffer that was handed out": [
      "    this.#offset = chunk.nextOffset;",
      "    this.#offset = chunk.nextOffset;\n    const own = chunk.bytes;\n    setImmediate(() => own.buffer.byteLength > 0 && own.copyWithin(0, own.length >> 1));",
    ],
  }),
  ...seenBy(["readers at the end"], "core/partition/read/batch-reader.ts", {
    "hands out the bytes of the tail cache, in whose headroom others write": [
      "    const bytes = bufferFor(byteLength, headroomBytes);\n    let at = 0;",
      "    const shared = (globalThis as { shared?: Buffer });\n    const bytes = (shared.shared ??= Buffer.alloc(1 << 25)).subarray(headroomBytes, headroomBytes + byteLength);\n    let at = 0;",
    ],
  }),
  ...seenBy(["fetches"], "core/broker/fetch.ts", {
    "joins batches over each other": [
      "    at += bytes.length;\n    release();",
      "    at += bytes.length - 1;\n    release();",
    ],
    "releases what it has not joined yet": [
      "    batches.set(bytes, at);\n    at += bytes.length;\n    release();",
      "    const { length } = bytes;\n    release();\n    batches.set(bytes, at);\n    at += length;",
    ],
  }),
  ...seenBy(["embedded readers", "compressed"], "codec/record-cursor.ts", {
    "hands out one view for all values": [
      "    return new Uint8Array(this.#buffer, this.#byteOffset + start, end - start);",
      "    const one = ((RecordCursor as unknown as { one?: Uint8Array }).one ??= new Uint8Array(1 << 24)).subarray(0, end - start);\n    one.set(new Uint8Array(this.#buffer, this.#byteOffset + start, end - start));\n    return one;",
    ],
  }),
  ...seenBy(["compressed"], "codec/platform/node.ts", {
    "unpacks into one buffer": [
      "    decompress: (bytes, maxBytes) => zlib.zstdDecompressSync(bytes, { maxOutputLength: maxBytes }),",
      "    decompress: (bytes, maxBytes) => {\n      const shared = globalThis as { unpacked?: Buffer };\n      const one = (shared.unpacked ??= Buffer.alloc(1 << 24));\n      return one.subarray(0, zlib.zstdDecompressSync(bytes, { maxOutputLength: maxBytes }).copy(one));\n    },",
    ],
  }),
  ...seenBy(["produces", "bare readers"], "protocol/batch-messages.ts", {
    "frames over the first byte of the batches": [
      "  const start = content.byteOffset - prefix.length;",
      "  const start = content.byteOffset - prefix.length + 1;",
    ],
  }),
  ...seenBy(["sends", "appends"], "client/producer/sealed-copy.ts", {
    "sends the bytes again that the log writes into": [
      "  const batch = new Uint8Array(PRODUCE_HEADROOM_BYTES + sealed.length).subarray(PRODUCE_HEADROOM_BYTES);\n  batch.set(sealed);",
      "  const batch = sealed;",
    ],
  }),
  ...seenBy(["sends", "sends to a server"], "codec/record-batch-builder.ts", {
    "builds the next batch in the buffer of the one under way": [
      "    if (compression === NO_COMPRESSION) this.#buffer = NOTHING;",
      "",
    ],
  }),
  ...seenBy(["sends of many", "sends", "sends to a server"], "client/producer/record-queue.ts", {
    "keeps the caller's buffers while it learns the topic": [
      "this.#enqueue(copyOfEntry(entry), valid)",
      "this.#enqueue(entry, valid)",
    ],
  }),
  ...seenBy(["handlers", "bare readers"], "client/grpc/consume-call.ts", {
    "puts messages together in one buffer": [
      "    this.#wanted?.resolve({ done: false, value: event });",
      '    if (event.type !== "batches") this.#wanted?.resolve({ done: false, value: event });\n    else {\n      const shared = globalThis as { one?: Buffer };\n      const one = (shared.one ??= Buffer.alloc(1 << 25));\n      one.set(event.batches);\n      this.#wanted?.resolve({ done: false, value: { ...event, batches: one.subarray(0, event.batches.length) } });\n    }',
    ],
  }),
];

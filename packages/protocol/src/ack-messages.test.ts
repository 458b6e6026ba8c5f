import { expect, test } from "vitest";
import { messageType } from "../test/loaded-proto.js";
import { decodeStreamedAck, encodeStreamedAck, type ProduceAck } from "./index.js";

const response = messageType("ProduceStreamResponse");

const acks: [string, ProduceAck][] = [
  [
    "every field",
    { baseOffset: 2 ** 52, nextOffset: 2 ** 53 - 1, durability: "flushed", duplicate: true, logEndOffset: 9 },
  ],
  ["the first record", { baseOffset: 0, nextOffset: 1, durability: "written", duplicate: false, logEndOffset: 1 }],
];

test.each(acks)("%s: the hand-written encoding round-trips through the protobuf of log.proto", (_what, ack) => {
  const asProtobuf = { ...ack, durability: { written: 1, flushed: 2, replicated: 3 }[ack.durability] };
  const message = encodeStreamedAck(ack);
  expect(response.deserialize(Buffer.from(message))).toMatchObject({ ack: asProtobuf });
  expect(decodeStreamedAck(response.serialize({ ack: asProtobuf }))).toEqual(ack);
});

test("an error is not decoded as an acknowledgement", () => {
  expect(decodeStreamedAck(response.serialize({ error: { code: "UNKNOWN_TOPIC" } }))).toBeUndefined();
  expect(decodeStreamedAck(new Uint8Array())).toBeUndefined();
});

test("fields of a later version are skipped, and a durability of one is read as the weakest", () => {
  const unknown = Uint8Array.of(0x78, 1); // field 15
  const [base, next, durability] = [Uint8Array.of(0x08, 4), Uint8Array.of(0x10, 5), Uint8Array.of(0x18, 9)];
  const fields = [base, next, durability, unknown].flatMap((field) => [...field]);
  const message = Uint8Array.of(...unknown, 0x0a, fields.length, ...fields);
  expect(decodeStreamedAck(message)).toMatchObject({ baseOffset: 4, nextOffset: 5, durability: "written" });
});

import { describe, expect, test } from "vitest";
import { messageType } from "../test/loaded-proto.js";
import {
  CONSUME_HEADROOM_BYTES,
  type ConsumeEvent,
  decodeConsumeResponse,
  decodeFetchResponse,
  decodeProduceRequest,
  encodeConsumeResponse,
  encodeFetchResponse,
  encodeProduceRequest,
  type FetchResult,
  PRODUCE_HEADROOM_BYTES,
  type ProduceRequest,
} from "./index.js";

const produceRequest = messageType("ProduceRequest");
const consumeResponse = messageType("ConsumeResponse");
const fetchResponse = messageType("FetchResponse");

/** Returns bytes in the middle of a buffer whose other bytes show whether they were overwritten. */
function withHeadroom(content: readonly number[], headroomBytes: number) {
  const buffer = new Uint8Array(headroomBytes + 10 + content.length).fill(0xee);
  const bytes = buffer.subarray(headroomBytes + 10);
  bytes.set(content);
  return { buffer, bytes };
}

describe("ProduceRequest", () => {
  const requests: [string, ProduceRequest][] = [
    [
      "every field",
      {
        topic: "flüge",
        topicId: "an-id",
        partition: 300,
        durability: "written",
        expectedOffset: 2 ** 52,
        batches: Uint8Array.of(1, 2),
      },
    ],
    [
      "defaults",
      { topic: "t", partition: 0, durability: undefined, expectedOffset: undefined, batches: Uint8Array.of() },
    ],
    [
      "offset 0 expected",
      { topic: "t", partition: 0, durability: "flushed", expectedOffset: 0, batches: new Uint8Array(300) },
    ],
  ];

  test.each(requests)(
    "%s: the hand-written encoding round-trips through the protobuf of log.proto",
    (_what, request) => {
      const message = encodeProduceRequest(request);
      const asProtobuf = {
        topic: request.topic,
        partition: request.partition,
        durability: { written: 1, flushed: 2, replicated: 3, none: 0 }[request.durability ?? "none"],
        ...(request.expectedOffset !== undefined && { expectedOffset: request.expectedOffset }),
        ...(request.topicId !== undefined && { topicId: request.topicId }),
        batches: Buffer.from(request.batches),
      };
      expect(produceRequest.deserialize(Buffer.from(message))).toMatchObject(asProtobuf);
      for (const bytes of [message, produceRequest.serialize(asProtobuf)]) {
        const decoded = decodeProduceRequest(bytes);
        expect({ ...decoded, batches: [...decoded.batches] }).toEqual({ ...request, batches: [...request.batches] });
      }
    },
  );

  test("the prefix is written into the headroom, and no further", () => {
    const topic = "t".repeat(249);
    const { buffer, bytes } = withHeadroom([7, 8, 9], PRODUCE_HEADROOM_BYTES);
    const topicId = "0".repeat(36);
    const big = { topic, topicId, partition: 2 ** 32 - 1, durability: "flushed", expectedOffset: 2 ** 53 - 1 } as const;
    const message = encodeProduceRequest({ ...big, batches: bytes, headroomBytes: PRODUCE_HEADROOM_BYTES });
    expect(message.buffer).toBe(buffer.buffer);
    expect([...buffer.subarray(0, 10)]).toEqual(new Array(10).fill(0xee));
    expect(decodeProduceRequest(message)).toMatchObject(big);
    expect([...decodeProduceRequest(message).batches]).toEqual([7, 8, 9]);
  });

  test("without headroom no byte before the batches changes", () => {
    const { buffer, bytes } = withHeadroom([7, 8, 9], 300);
    const message = encodeProduceRequest({ topic: "t", partition: 1, batches: bytes });
    expect([...decodeProduceRequest(message).batches]).toEqual([7, 8, 9]);
    expect([...buffer.subarray(0, 310)]).toEqual(new Array(310).fill(0xee));
  });

  test("batches are a view of the message", () => {
    const message = encodeProduceRequest({ topic: "t", partition: 1, batches: Uint8Array.of(1, 2, 3) });
    expect(decodeProduceRequest(message).batches.buffer).toBe(message.buffer);
  });

  test("fields that this version does not know are skipped", () => {
    const known = encodeProduceRequest({ topic: "t", partition: 3, batches: Uint8Array.of(5) });
    // Field 99 as varint, 64 bits, bytes and 32 bits.
    const unknown = [0x98, 6, 0xff, 1, 0x99, 6, 1, 2, 3, 4, 5, 6, 7, 8, 0x9a, 6, 2, 9, 9, 0x9d, 6, 1, 2, 3, 4];
    expect(decodeProduceRequest(Uint8Array.of(...unknown, ...known, ...unknown))).toMatchObject({
      topic: "t",
      partition: 3,
    });
  });

  test("an unknown durability is read as the strongest", () => {
    expect(decodeProduceRequest(Uint8Array.of(0x18, 9)).durability).toBe("flushed");
  });

  test.each([
    ["a length beyond the message", [0x7a, 100, 1]],
    ["a varint that does not end", [0x10, 0xff, 0xff]],
    ["a varint of eleven bytes", [0x10, ...new Array(10).fill(0xff), 1]],
    ["a number where bytes are due", [0x78, 1]],
    ["bytes where a number is due", [0x12, 1, 1]],
    ["a group", [0x0b]],
    ["a length that overflows", [0x7a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
  ])("%s is a RangeError", (_what, bytes) => {
    expect(() => decodeProduceRequest(Uint8Array.from(bytes))).toThrow(RangeError);
  });

  test.each([-1, -2, -300, -(2 ** 40), -(2 ** 53) + 1, 2 ** 53 - 1, 2 ** 28, 2 ** 56])(
    "int64 %i comes out as it is",
    (value) => {
      const message = produceRequest.serialize({ topic: "t", expectedOffset: value });
      expect(decodeProduceRequest(message).expectedOffset).toBe(value);
    },
  );
});

describe("ConsumeResponse", () => {
  const none = Uint8Array.of();
  const events: [ConsumeEvent, object][] = [
    [
      {
        type: "batches",
        batches: Uint8Array.of(1, 2),
        headroomBytes: 0,
        highWatermark: 2 ** 50,
        logEndOffset: 2 ** 51,
      },
      { batches: Buffer.of(1, 2) },
    ],
    [{ type: "batches", batches: none, headroomBytes: 0, highWatermark: 0, logEndOffset: 0 }, { batches: Buffer.of() }],
    [{ type: "caughtUp", highWatermark: 5, logEndOffset: 6 }, { caughtUp: {} }],
    [{ type: "heartbeat", highWatermark: 0, logEndOffset: 3 }, { heartbeat: {} }],
    [
      { type: "logStartMoved", logStartOffset: 2 ** 40, highWatermark: 2 ** 41, logEndOffset: 2 ** 42 },
      { logStartMoved: { logStartOffset: 2 ** 40 } },
    ],
    [
      { type: "logStartMoved", logStartOffset: 0, highWatermark: 1, logEndOffset: 1 },
      { logStartMoved: { logStartOffset: 0 } },
    ],
    [
      { type: "gap", firstOffset: 0, nextOffset: 2 ** 40, highWatermark: 2 ** 41, logEndOffset: 2 ** 42 },
      { gap: { firstOffset: 0, nextOffset: 2 ** 40 } },
    ],
  ];

  test.each(events)("%o round-trips through the protobuf of log.proto", (event, body) => {
    const { highWatermark, logEndOffset } = event;
    const asProtobuf = { highWatermark, logEndOffset, ...body };
    const message = encodeConsumeResponse(event);
    expect(consumeResponse.deserialize(Buffer.from(message))).toMatchObject(asProtobuf);
    for (const bytes of [message, consumeResponse.serialize(asProtobuf)]) {
      const decoded = decodeConsumeResponse(bytes);
      if (decoded?.type === "batches" && event.type === "batches") {
        expect([...decoded.batches]).toEqual([...event.batches]);
        expect(decoded).toMatchObject({ highWatermark, logEndOffset });
      } else expect(decoded).toEqual(event);
    }
  });

  test("the prefix is written into the headroom, and no further", () => {
    const { buffer, bytes } = withHeadroom([1, 2, 3], CONSUME_HEADROOM_BYTES);
    const highWatermark = 2 ** 53 - 1;
    const ends = { highWatermark, logEndOffset: highWatermark };
    const event = { type: "batches", batches: bytes, headroomBytes: CONSUME_HEADROOM_BYTES, ...ends } as const;
    const message = encodeConsumeResponse(event);
    expect(message.buffer).toBe(buffer.buffer);
    expect([...buffer.subarray(0, 10)]).toEqual(new Array(10).fill(0xee));
    expect(decodeConsumeResponse(message)).toMatchObject({ type: "batches", ...ends });
  });

  test("an event that this version does not know decodes to undefined", () => {
    expect(decodeConsumeResponse(Uint8Array.of(0x08, 1, 0x9a, 6, 0))).toBeUndefined();
  });
});

describe("FetchResponse", () => {
  const most = 2 ** 53 - 1;
  const results: FetchResult[] = [
    {
      nextOffset: 1,
      logStartOffset: 2,
      highWatermark: 3,
      logEndOffset: 4,
      batches: Uint8Array.of(5),
      headroomBytes: 0,
    },
    { nextOffset: 0, logStartOffset: 0, highWatermark: 0, logEndOffset: 0, batches: Uint8Array.of(), headroomBytes: 0 },
    {
      nextOffset: 9,
      logStartOffset: 2,
      highWatermark: 9,
      logEndOffset: 9,
      gaps: [
        { firstOffset: 2, nextOffset: 2 ** 20 },
        { firstOffset: 2 ** 30, nextOffset: 2 ** 50 },
      ],
      batches: Uint8Array.of(5, 6),
      headroomBytes: 0,
    },
  ];

  test.each(results)("%o round-trips through the protobuf of log.proto", (result) => {
    const { batches, headroomBytes: _, ...offsets } = result;
    const message = encodeFetchResponse(result);
    expect(fetchResponse.deserialize(Buffer.from(message))).toMatchObject({
      ...offsets,
      batches: Buffer.from(batches),
    });
    for (const bytes of [message, fetchResponse.serialize({ ...offsets, batches: Buffer.from(batches) })]) {
      const decoded = decodeFetchResponse(bytes);
      expect({ ...decoded, batches: [...decoded.batches] }).toEqual({ ...result, batches: [...batches] });
    }
  });

  test("the prefix is written into the headroom, and no further", () => {
    const { buffer, bytes } = withHeadroom([1, 2, 3], CONSUME_HEADROOM_BYTES);
    const offsets = { nextOffset: most, logStartOffset: most, highWatermark: most, logEndOffset: most };
    const message = encodeFetchResponse({ ...offsets, batches: bytes, headroomBytes: CONSUME_HEADROOM_BYTES });
    expect(message.buffer).toBe(buffer.buffer);
    expect([...buffer.subarray(0, 10)]).toEqual(new Array(10).fill(0xee));
    expect(decodeFetchResponse(message)).toMatchObject(offsets);
  });
});

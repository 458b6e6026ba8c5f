import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { InternalError, UnavailableError } from "../index.js";
import { ProduceChannel, type ProduceStream } from "./produce-channel.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class FakeStream extends EventEmitter {
  hasEnded = false;
  written = 0;
  write = () => {
    this.written++;
    return true;
  };
  end = () => {
    this.hasEnded = true;
  };
  cancel = () => {};

  ack(baseOffset = 0, nextOffset = 1): void {
    this.emit("data", { ack: { baseOffset, nextOffset, logEndOffset: 1, durability: "flushed", duplicate: false } });
  }
}

const request = { topic: "t", partition: 0, batches: new Uint8Array(1) };

function open() {
  const streams: FakeStream[] = [];
  const channel = new ProduceChannel(
    () => {
      streams.push(new FakeStream());
      return streams.at(-1) as unknown as ProduceStream;
    },
    (error) => new UnavailableError(String(error)),
  );
  return { channel, streams };
}

test("a stream without appends is ended, so that it keeps no process alive; the next append opens another one", async () => {
  const { channel, streams } = open();
  for (let i = 0; i < 3; i++) {
    const acked = channel.produce(request);
    streams[0]!.ack();
    await acked;
    await vi.advanceTimersByTimeAsync(300);
  }
  const waiting = channel.produce(request);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(streams[0]!.hasEnded).toBe(false); // a response is pending
  streams[0]!.ack();
  await waiting;
  await vi.advanceTimersByTimeAsync(2000);
  expect(streams[0]!.hasEnded).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  const again = channel.produce(request);
  streams[0]!.emit("status");
  streams[1]!.ack();
  await again;
  expect(streams).toHaveLength(2);
});

test.each([
  [-1, 1],
  [0, -1],
  [5, 5],
  [0.5, 2],
])("an acknowledgement of %d up to %d is a typed error", async (baseOffset, nextOffset) => {
  const { channel, streams } = open();
  const acked = channel.produce(request);
  streams[0]!.ack(baseOffset, nextOffset);
  await expect(acked).rejects.toBeInstanceOf(InternalError);
  channel.close(new UnavailableError("done"));
});

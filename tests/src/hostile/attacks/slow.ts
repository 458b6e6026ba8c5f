/** Clients that start something and do not continue. */
import type { Attack, Target } from "../attack.ts";
import {
  callHeaders,
  dataFrames,
  Flag,
  Frame,
  frame,
  grpcMessage,
  headerBlock,
  headersFrame,
  hello,
  preface,
} from "../frames.ts";
import type { RawConnection } from "../raw-connection.ts";
import { endsOf } from "../verdict.ts";

/** From one address: nine tenths of the server's total. */
const MAX_CONNECTIONS = 900;

/** Sends one byte at a time on each of many connections; other work runs in between. */
async function trickle(connections: readonly RawConnection[], bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) await Promise.all(connections.map((connection) => connection.write(Buffer.of(byte))));
}

function slow(name: string, count: number, attackOn: (connections: RawConnection[]) => Promise<void>): Attack {
  return {
    name,
    async run({ connect }: Target) {
      const connections: RawConnection[] = [];
      while (connections.length < count) {
        connections.push(...(await Promise.all(Array.from({ length: Math.min(100, count) }, connect))));
      }
      await attackOn(connections);
      return endsOf(connections);
    },
  };
}

const headers = headerBlock(callHeaders("Produce"));
const each = (bytes: Uint8Array) => async (connections: RawConnection[]) => {
  await Promise.all(connections.map((connection) => connection.write(bytes)));
};

export const slowAttacks: readonly Attack[] = [
  {
    ...slow("2,000 idle connections", 2_000, async (connections) => {
      await Promise.all(connections.slice(MAX_CONNECTIONS).map((connection) => connection.closedWithin(1_000)));
      const held = connections.filter(({ wasEnded }) => !wasEnded).length;
      if (held >= MAX_CONNECTIONS) throw new Error(`${held} connections were let in beside the victim's`);
    }),
    // Connected clients are served, and others are accepted when there is room again: an idle
    // connection has 30 s.
    told: { refused: "connection", reason: /too many connections/, lines: "some" },
  },
  slow("900 idle HTTP/2 connections", MAX_CONNECTIONS, async (connections) => {
    await each(hello)(connections);
    await connections.at(-1)!.closedWithin(1_000); // the victim has one, too
  }),
  slow("slow-loris: half the preface", 300, each(preface.subarray(0, 12))),
  slow("slow-loris: preface, byte by byte", 100, (connections) => trickle(connections, hello)),
  slow("slow-loris: headers that trickle without end", 100, async (connections) => {
    await each(hello)(connections);
    await trickle(connections, frame(Frame.HEADERS, 0, 1, headers.subarray(0, 40)));
    await trickle(connections, frame(Frame.CONTINUATION, 0, 1, headers.subarray(40, 80)));
  }),
  slow("slow-loris: a message that trickles without end", 100, async (connections) => {
    await each(Buffer.concat([hello, headersFrame(1, callHeaders("Produce"))]))(connections);
    const message = grpcMessage(new Uint8Array(100), { length: 1_000_000 });
    await trickle(connections, Buffer.concat([...message].map((byte) => frame(Frame.DATA, 0, 1, Buffer.of(byte)))));
  }),
  slow("a message of 4 GB announced and not sent, 1,000 calls", 1, async ([connection]) => {
    await connection!.write(hello);
    for (let call = 0; call < 1_000; call++) {
      const begin = grpcMessage(new Uint8Array(), { length: 0xffff_ffff });
      await connection!.write(headersFrame(2 * call + 1, callHeaders("Produce")), dataFrames(2 * call + 1, begin));
    }
  }),
  slow("incomplete messages of 16 MB, 40 calls", 1, async ([connection]) => {
    await connection!.write(hello);
    const part = grpcMessage(new Uint8Array(15_000_000), { length: 16_000_000 });
    for (let call = 0; call < 40; call++) {
      await connection!.write(headersFrame(2 * call + 1, callHeaders("Produce")), dataFrames(2 * call + 1, part));
    }
  }),
  slow("messages of 20 MB, 20 calls", 1, async ([connection]) => {
    await connection!.write(hello);
    const message = grpcMessage(new Uint8Array(20_000_000));
    for (let call = 0; call < 20; call++) {
      await connection!.write(headersFrame(2 * call + 1, callHeaders("Produce")), dataFrames(2 * call + 1, message));
    }
  }),
  slow(
    "calls half-closed without a request",
    20,
    each(Buffer.concat([hello, frame(Frame.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, headers)])),
  ),
];

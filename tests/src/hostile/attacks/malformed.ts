/** Malformed frames on each level, from the connection down to the record. */
import type { Attack, Target } from "../attack.ts";
import {
  callHeaders,
  dataFrames,
  Flag,
  Frame,
  frame,
  grpcMessage,
  headersFrame,
  hello,
  settings,
  uint32,
} from "../frames.ts";
import { smallBatch, withChecksums } from "../raw-batch.ts";
import { encode, methodPaths, Stranger } from "../stranger.ts";
import { endsOf, tally } from "../verdict.ts";

type Random = () => number;

/** Number of concurrent attacks. */
const SIDE_BY_SIDE = 16;
const FRAMES_A_CONNECTION = 25;
const WAIT_MS = 10;

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => below(random, 256)));
}

/** Applies one to four changes: bytes set, flipped, truncated, duplicated or inserted. */
export function mutated(random: Random, original: Uint8Array): Buffer {
  let bytes = Buffer.from(original);
  for (let change = 0; change <= below(random, 4); change++) {
    const at = below(random, bytes.length || 1);
    switch (below(random, 6)) {
      case 0:
        bytes[at] = below(random, 256);
        break;
      case 1:
        bytes[at]! ^= 1 << below(random, 8);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes, bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), randomBytes(random, 1 + below(random, 9)), bytes.subarray(at)]);
        break;
      default:
        bytes.fill(0xff, at, Math.min(at + 10, bytes.length));
    }
  }
  return bytes;
}

/**
 * Distributes the frames over several concurrent senders. `send` gets the largest number to send,
 * and returns how many it sent.
 */
async function inShares<T>(
  frames: number,
  size: number,
  send: (most: number, sent: (count: number) => void) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let left = frames;
  const sent = (count: number) => {
    left -= count;
  };
  const worker = async () => {
    while (left > 0) results.push(await send(Math.min(size, left), sent));
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  return results;
}

/**
 * On raw connections, one frame after another until the server closes the connection. A PING after
 * each frame is answered once the frame was processed; without an answer, the server waits for the
 * rest of a frame. `share`: the part of all malformed frames.
 */
function onConnections(name: string, share: number, frameOf: (random: Random) => Buffer, start = hello): Attack {
  return {
    name,
    async run({ connect, random, frames }: Target) {
      const connections = await inShares(frames * share, FRAMES_A_CONNECTION, async (most, sent) => {
        const connection = await connect();
        await connection.write(start);
        for (let i = 0; i < most && !connection.isClosed; i++) {
          await connection.write(frameOf(random), ping);
          sent(1);
          await connection.heard(WAIT_MS);
        }
        connection.close();
        return connection;
      });
      return endsOf(connections);
    },
  };
}

/** Through a well-behaved client. */
function asMessages(
  name: string,
  share: number,
  callOf: (random: Random) => { path: string; request: Buffer },
): Attack {
  return {
    name,
    async run({ address, random, frames, onEnd }: Target) {
      const stranger = new Stranger(address);
      onEnd(() => stranger.close());
      const answers = await inShares(frames * share, 1, (_most, sent) => {
        sent(1);
        const { path, request } = callOf(random);
        return stranger.call(path, request);
      });
      return tally(answers.map(({ status, detail, message }) => (status === 0 ? "taken" : (detail ?? message))));
    },
  };
}

const ping = frame(Frame.PING, 0, 0, new Uint8Array(8));
const validFrames = [
  headersFrame(1, callHeaders("Produce")),
  headersFrame(1, callHeaders("Consume"), Flag.END_HEADERS),
  dataFrames(1, grpcMessage(encode("ProduceRequest", { topic: "nowhere", batches: smallBatch() })), true),
  settings([3, 100], [4, 65_535], [5, 16_384]),
  ping,
  frame(Frame.WINDOW_UPDATE, 0, 0, uint32(1_000)),
  frame(Frame.RST_STREAM, 0, 1, uint32(8)),
  frame(Frame.PRIORITY, 0, 1, new Uint8Array(5)),
  frame(Frame.GOAWAY, 0, 0, new Uint8Array(8)),
  frame(Frame.CONTINUATION, Flag.END_HEADERS, 1, new Uint8Array(3)),
  frame(Frame.PUSH_PROMISE, Flag.END_HEADERS, 1, new Uint8Array(4)),
];

const requests = [
  encode("ProduceRequest", { topic: "nowhere", partition: 1, expectedOffset: 5, batches: smallBatch() }),
  encode("FetchRequest", { topic: "victim", from: { offset: 1 }, maxBytes: 1_000, minBytes: 1 }),
  encode("ListOffsetsRequest", { topic: "victim", partitions: [{ partition: 0, position: { time: 1 } }] }),
  encode("AlterTopicConfigRequest", { topic: "nowhere", set: { retentionMs: 5 }, unset: ["durability"] }),
];
/** Methods that do no harm if a mutated request happens to be valid. */
const harmless = methodPaths.filter((path) => !/Create|Delete|Alter|Restore|Stream|Consume/.test(path));
const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

export const malformedFrames: readonly Attack[] = [
  onConnections(
    "malformed: random bytes instead of HTTP/2",
    0.02,
    (random) => randomBytes(random, 1 + below(random, 60)),
    Buffer.alloc(0),
  ),
  onConnections("malformed: random frames", 0.2, (random) => {
    const stream = below(random, 5) === 0 ? below(random, 2 ** 31) : below(random, 6);
    return frame(below(random, 12), below(random, 256), stream, randomBytes(random, below(random, 40)));
  }),
  onConnections("malformed: HTTP/2 frames, mutated", 0.25, (random) =>
    mutated(random, validFrames[below(random, validFrames.length)]!),
  ),
  onConnections(
    "malformed: gRPC length prefixes",
    0.1,
    (() => {
      let stream = 1;
      return (random: Random) => {
        stream = stream > 1_000_000_000 ? 1 : stream + 2;
        const length = [0, 1, 0xffff_ffff, 0x7fff_ffff, 16 * 1024 * 1024, below(random, 2 ** 32)][below(random, 6)]!;
        const message = grpcMessage(requests[below(random, requests.length)]!, {
          compressed: below(random, 4),
          length,
        });
        return Buffer.concat([
          headersFrame(stream, callHeaders("Produce")),
          dataFrames(stream, message, random() < 0.7),
        ]);
      };
    })(),
  ),
];

export const malformedMessages: readonly Attack[] = [
  asMessages("malformed: protobuf, mutated", 0.05, (random) => ({
    path: below(random, 20) === 0 ? reflection : harmless[below(random, harmless.length)]!,
    request: mutated(random, requests[below(random, requests.length)]!),
  })),
  {
    name: "malformed: record batches with good checksums",
    async run({ address, random, frames, onEnd }: Target) {
      const stranger = new Stranger(address);
      onEnd(() => stranger.close());
      const answers = await inShares(frames * 0.38, 200, (most, sent) => {
        sent(most);
        const batches = Array.from({ length: most }, () => withChecksums(mutated(random, smallBatch())));
        const requests = batches.map((batch) => encode("ProduceRequest", { topic: "hostile-batches", batches: batch }));
        return stranger.stream("/logstore.v1.LogService/ProduceStream", requests);
      });
      const answered = answers.reduce((sum, each) => sum + each.answers, 0);
      return `each answered: ${answered} acks and errors`;
    },
  },
];

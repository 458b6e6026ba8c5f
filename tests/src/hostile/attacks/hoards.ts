/** Well-formed calls that would make the server keep, compare or look up unreasonable amounts. */
import type { Attack, Target } from "../attack.ts";
import { dataFrames, grpcMessage, headersFrame, headersOf, hello } from "../frames.ts";
import { smallBatch } from "../raw-batch.ts";
import { RawConnection } from "../raw-connection.ts";
import { type Answer, Stranger } from "../stranger.ts";
import { endsOf, tally } from "../verdict.ts";
import { type Call, call } from "./topic-calls.ts";

const AT_ONCE = 10;
const RESOURCE_EXHAUSTED = 8;

/** Makes all calls, some concurrently. Throws if the result of one is not as `isRight` expects. */
function calls(
  name: string,
  made: () => Iterable<Call>,
  isRight: (answer: Answer) => boolean,
  atOnce = AT_ONCE,
): Attack {
  return {
    name,
    async run({ address, onEnd }: Target) {
      const stranger = new Stranger(address);
      onEnd(() => stranger.close());
      const answers: Answer[] = [];
      const rest = made()[Symbol.iterator]();
      const callAll = async () => {
        for (let next = rest.next(); !next.done; next = rest.next()) {
          const { path, request } = next.value;
          const answer = await stranger.call(path, request);
          answers.push(answer);
          if (!isRight(answer)) throw new Error(`${path} was answered with ${JSON.stringify(answer).slice(0, 1_000)}`);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, callAll));
      return tally(answers.map(({ status, detail, message }) => (status === 0 ? "answered" : (detail ?? message))));
    },
  };
}

const isAnswered = ({ status }: Answer) => status === 0;
const isRefused = ({ status }: Answer) => status !== 0;

function* commitsOfMegabytes() {
  for (let i = 0; i < 300; i++) {
    const offsets = [{ topic: "victim", partition: 0, offset: 0, metadata: `${i}${"x".repeat(1_000_000)}` }];
    yield call("ConsumerGroupService/CommitOffsets", "CommitOffsetsRequest", { group: `hoard-${i}`, offsets });
  }
}

/** Each of these is a property of every object, but not the name of a topic or group. */
function* prototypeNames() {
  for (const name of ["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__", "isPrototypeOf"]) {
    yield call("AdminService/CreateTopic", "CreateTopicRequest", { topic: name, partitions: 1, ifNotExists: true });
    yield call("LogService/Produce", "ProduceRequest", { topic: name, batches: smallBatch() });
    yield call("LogService/Fetch", "FetchRequest", { topic: name });
    const offsets = [{ topic: name, partition: 0, offset: 1 }];
    yield call("ConsumerGroupService/CommitOffsets", "CommitOffsetsRequest", { group: name, offsets });
    yield call("ConsumerGroupService/FetchOffsets", "FetchOffsetsRequest", { group: name });
    yield call("ConsumerGroupService/DescribeGroup", "DescribeGroupRequest", { group: name });
    yield call("ConsumerGroupService/DeleteGroup", "DeleteGroupRequest", { group: name });
    yield call("AdminService/DeleteTopic", "DeleteTopicRequest", { topic: name });
  }
}

function* lookUps() {
  for (let i = 0; i < 50; i++) {
    const partitions = Array.from({ length: 10_000 }, (_, at) => ({ partition: 0, position: { time: at + 1 } }));
    yield call("LogService/ListOffsets", "ListOffsetsRequest", { topic: "victim", partitions });
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/**
 * Health checks of topics whose names are almost as long as the largest message, which need no
 * credentials.
 */
function* healthOfLongNames() {
  for (let i = 0; i < 100; i++) {
    const name = Buffer.alloc(16_000_000, "x");
    name.write(`topic/${i}-`);
    // Field 1, `service`.
    const request = Buffer.concat([Buffer.of(0x0a), varint(name.length), name]);
    yield { path: "/grpc.health.v1.Health/Check", request };
  }
}

export const hoards: readonly Attack[] = [
  calls("commits with a megabyte of metadata, 300 groups", commitsOfMegabytes, isRefused),
  calls("names of properties that every JavaScript object has", prototypeNames, isAnswered, 1),
  calls("10,000 times in one ListOffsets, 50 calls", lookUps, isAnswered),
];

const WATCHERS = 1_000;
const MOST_OF_AN_ADDRESS = 900;
/** Limit for one address without credentials. */
const MOST_OF_STRANGERS = 32;

const watch = Buffer.concat([
  hello,
  headersFrame(1, headersOf("/grpc.health.v1.Health/Watch")),
  dataFrames(1, grpcMessage(new Uint8Array()), true),
]);

/** A client from another address still gets a connection and a response. */
async function elsewhereServed(port: number, onEnd: Target["onEnd"]): Promise<void> {
  const other = await RawConnection.open(port, "127.0.0.2");
  onEnd(() => other.close());
  await other.write(watch);
  await other.hasAnswer(5_000);
  if (other.begun === 0) throw new Error(`another address got no answer: ${endsOf([other])}`);
}

/**
 * On a server with access control, which decides for each name whether its existence may be
 * disclosed.
 */
export const anonymousHoards: readonly Attack[] = [
  calls(
    "health of topics with names of 16 MB, 100 calls without credentials",
    healthOfLongNames,
    ({ status }) => status === RESOURCE_EXHAUSTED, // refused by the message length limit, before the name is examined
    4,
  ),
  {
    name: "Health/Watch on 1,000 connections of one address",
    async run({ port, connect, onEnd }: Target) {
      const connections: RawConnection[] = [];
      while (connections.length < WATCHERS) {
        connections.push(...(await Promise.all(Array.from({ length: 100 }, connect))));
      }
      await Promise.all(connections.map((connection) => connection.write(watch)));
      await Promise.all(connections.map((connection) => connection.hasAnswer(5_000)));
      const watching = connections.filter(({ begun }) => begun > 0).length;
      if (watching > MOST_OF_AN_ADDRESS) throw new Error(`${watching} connections watch`);
      await elsewhereServed(port, onEnd);
      return `${watching} watch, ${endsOf(connections)}; another address is served`;
    },
  },
];

/** The same over TLS, where a caller without credentials has no permissions. */
export const strangersWatch: readonly Attack[] = [
  {
    name: "Health/Watch on 200 connections without credentials",
    async run({ address, guard, onEnd }: Target) {
      const ends = await Promise.all(
        Array.from({ length: 200 }, () => {
          const stranger = new Stranger(address, guard!.channel());
          onEnd(() => stranger.close());
          return new Promise<string>((resolve) => {
            const call = stranger.duplex("/grpc.health.v1.Health/Watch", () => resolve("watch"));
            call.ended.then(({ detail, message }) => resolve(detail ?? message));
            call.end(Buffer.alloc(0));
          });
        }),
      );
      const watching = ends.filter((end) => end === "watch").length;
      if (watching > MOST_OF_STRANGERS) throw new Error(`${watching} connections watch`);
      return tally(ends);
    },
  },
];

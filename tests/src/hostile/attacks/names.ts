/** Names crafted to harm whatever stores, compares or displays them. */
import type { Attack, Target } from "../attack.ts";
import { bearer } from "../guard.ts";
import { smallBatch } from "../raw-batch.ts";
import { type Answer, Stranger } from "../stranger.ts";
import { tally } from "../verdict.ts";
import { type Call, call, callsOf } from "./topic-calls.ts";

const AT_ONCE = 4;

/** Makes the calls as an authenticated caller, a few at a time. Each must be refused. */
function refusedAsStranger(name: string, made: () => readonly Call[], told?: Attack["told"]): Attack {
  return {
    name,
    ...(told && { told }),
    async run({ address, guard, onEnd }: Target) {
      const stranger = new Stranger(address, guard!.channel());
      onEnd(() => stranger.close());
      const metadata = bearer(guard!.token("stranger"));
      const answers: Answer[] = [];
      const rest = made().values();
      const callAll = async () => {
        for (const { path, request } of rest) {
          const answer = await stranger.call(path, request, metadata);
          if (answer.status === 0) throw new Error(`${path} was answered`);
          if (answer.message.length > 1_000)
            throw new Error(`${path} was refused in ${answer.message.length} characters`);
          answers.push(answer);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, callAll));
      return tally(answers.map(({ detail, message }) => detail ?? message));
    },
  };
}

function callsWithLongNames(): Call[] {
  const name = `victim${"x".repeat(15_000_000)}`;
  const offsets = [{ topic: name, partition: 0, offset: 1 }];
  return [
    call("LogService/Produce", "ProduceRequest", { topic: name, batches: smallBatch() }),
    call("LogService/Fetch", "FetchRequest", { topic: name }),
    call("AdminService/DescribeTopic", "DescribeTopicRequest", { topic: name }),
    call("AdminService/CreateTopic", "CreateTopicRequest", { topic: name, partitions: 1 }),
    call("ConsumerGroupService/CommitOffsets", "CommitOffsetsRequest", { group: "hoard-1", offsets }),
    call("ConsumerGroupService/DescribeGroup", "DescribeGroupRequest", { group: name }),
  ];
}

/**
 * Terminals interpret ESC and the C1 controls; other characters reorder a line or start a new one.
 */
const controls = [
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u009b31m",
  "\u202egnp",
  "\u2066x",
  "a\u2028b",
  "a\nb\rc",
  "\u0000",
  "\u007f",
];

export const names: readonly Attack[] = [
  refusedAsStranger("names of 15 MB in refused calls, 30 calls", () => {
    const calls = callsWithLongNames();
    return Array.from({ length: 5 }, () => calls).flat();
  }),
];

export const namesInTextLogs: readonly Attack[] = [
  refusedAsStranger("control characters in names, on a server that logs text", () =>
    controls.flatMap((control) => callsOf(`victim${control}`)),
  ),
];

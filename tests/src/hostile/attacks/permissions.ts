/** Authenticated callers that lack the permission for a call. */
import { connect } from "@logstore/client";
import { type Attack, onGuarded, type Target } from "../attack.ts";
import { bearer, claims, type Guard, rules } from "../guard.ts";
import { smallBatch } from "../raw-batch.ts";
import { type Answer, encode, Stranger } from "../stranger.ts";
import { tally } from "../verdict.ts";
import { type Call, call, callsOf } from "./topic-calls.ts";

const TOPIC = "shared";
/** Number of messages after which a stream is at full speed. */
const UNDER_WAY = 500;

function strangerOf({ address, onEnd }: Target, guard: Guard): Stranger {
  const stranger = new Stranger(address, guard.channel());
  onEnd(() => stranger.close());
  return stranger;
}

async function answersTo(stranger: Stranger, guard: Guard, calls: readonly Call[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { path, request } of calls) {
    answers.push(await stranger.call(path, request, bearer(guard.token("stranger"))));
  }
  return answers;
}

async function withOwner<T>({ address }: Target, guard: Guard, use: (owner: Owner) => Promise<T>): Promise<T> {
  await using client = connect(address, guard.shown("owner"));
  const topics = await client.listTopics();
  if (!topics.some(({ topic }) => topic === TOPIC)) await client.createTopic(TOPIC, { partitions: 1 });
  return await use(client);
}

type Owner = ReturnType<typeof connect>;

async function endOffset(owner: Owner): Promise<number> {
  const { partitions } = await owner.describeTopic(TOPIC);
  return partitions[0]!.logEndOffset;
}

/** Appends and reads at full speed, and collects what the streams deliver. */
function streams(stranger: Stranger, token: string, onMessage: (message: Buffer) => void) {
  const metadata = bearer(token);
  const counts = { acks: 0, messages: 0 };
  const { promise: isUnderWay, resolve } = Promise.withResolvers<void>();
  const counted = () => {
    if (counts.acks >= UNDER_WAY && counts.messages > 0) resolve();
  };
  const append = encode("ProduceRequest", { topic: TOPIC, durability: 1, batches: smallBatch() });
  const producing = stranger.open("/logstore.v1.LogService/ProduceStream", append, {
    metadata,
    endless: true,
    onMessage() {
      counts.acks++;
      counted();
    },
  });
  const consuming = stranger.open("/logstore.v1.LogService/Consume", encode("ConsumeRequest", { topic: TOPIC }), {
    metadata,
    onMessage(message) {
      counts.messages++;
      onMessage(message);
      counted();
    },
  });
  const ended = Promise.all([producing, consuming]);
  const early = ended.then((answers) => Promise.reject(new Error(`ended early: ${JSON.stringify(answers)}`)));
  early.catch(() => {}); // it is no longer needed
  return { isUnderWay: Promise.race([isUnderWay, early]), ended };
}

/**
 * Records appended from now on must not reach the closed streams, and the streams append nothing.
 */
async function nothingMore(owner: Owner, marker: string, seen: () => boolean): Promise<void> {
  const before = await endOffset(owner);
  const { offset } = await owner.producer(TOPIC).send({ value: marker, partition: 0 });
  if (offset !== before) throw new Error(`something was appended at ${before} after the cut`);
  for (let i = 0; i < 50; i++) await endOffset(owner);
  if ((await endOffset(owner)) !== offset + 1) throw new Error("something was appended after the cut");
  if (seen()) throw new Error("something was delivered after the cut");
}

function cutInMidStream(
  name: string,
  { principal, code, reason }: { principal: string; code: string; reason: RegExp },
  tokenOf: (guard: Guard) => string | Promise<string>,
  cut: (target: Target) => Promise<void>,
): Attack {
  return onGuarded(name, { refused: "call", principal, code, reason, lines: 2 }, (target, guard) =>
    withOwner(target, guard, async (owner) => {
      const marker = `after the cut: ${name}`;
      let wasSeen = false;
      const stranger = strangerOf(target, guard);
      const { isUnderWay, ended } = streams(stranger, await tokenOf(guard), (message) => {
        wasSeen ||= message.includes(marker);
      });
      await isUnderWay;
      await cut(target);
      const answers = await ended;
      if (answers.some(({ detail }) => detail !== code)) throw new Error(JSON.stringify(answers));
      await nothingMore(owner, marker, () => wasSeen);
      return `Consume and ProduceStream ended: ${tally(answers.map(({ detail }) => detail!))}`;
    }),
  );
}

export const permissions: readonly Attack[] = [
  onGuarded(
    "topics that the caller may not describe",
    { refused: "call", principal: "stranger", code: "PERMISSION_DENIED", reason: /^stranger may not /, lines: "some" },
    async (target, guard) => {
      const stranger = strangerOf(target, guard);
      const answersOf = async (topic: string) => {
        const answers = await answersTo(stranger, guard, callsOf(topic));
        return answers.map(({ message, ...rest }) => ({ ...rest, message: message.replaceAll(topic, "TOPIC") }));
      };
      const [existing, missing] = [await answersOf("victim"), await answersOf("nobody")];
      for (const [i, answer] of existing.entries()) {
        const other = missing[i];
        if (JSON.stringify(answer) === JSON.stringify(other) && answer.detail === "PERMISSION_DENIED") continue;
        throw new Error(`existence shows: ${JSON.stringify(answer)} and ${JSON.stringify(other)}`);
      }
      return `${tally(existing.map(({ detail }) => detail!))}, with the same message for topics that do not exist`;
    },
  ),
  onGuarded(
    "names that look like paths, with an allowed prefix",
    { refused: "call", principal: "stranger", code: "PERMISSION_DENIED", reason: /^stranger may not /, lines: "some" },
    async (target, guard) => {
      const names = [
        "stranger-/../victim",
        "stranger-\0victim",
        "stranger-*",
        "stranger-/../../../etc",
        "Stranger-x",
        "*",
      ];
      const answers = await answersTo(strangerOf(target, guard), guard, names.flatMap(callsOf));
      const fine = ["PERMISSION_DENIED", "INVALID_ARGUMENT", "UNKNOWN_TOPIC"];
      const other = answers.find(({ detail }) => !fine.includes(detail ?? ""));
      if (other) throw new Error(JSON.stringify(other));
      return tally(answers.map(({ detail }) => detail!));
    },
  ),
  onGuarded(
    "snapshot of a topic that the caller may not read, restored as another topic",
    { refused: "call", principal: "stranger", code: "PERMISSION_DENIED", reason: /may not restore topic victim/ },
    async (target, guard) => {
      const request = { topic: "victim", snapshot: "s", newTopic: "stranger-own" };
      const restore = call("AdminService/RestoreSnapshot", "RestoreSnapshotRequest", request);
      const answers = await answersTo(strangerOf(target, guard), guard, [restore]);
      return tally(answers.map(({ detail }) => detail ?? "taken"));
    },
  ),
  cutInMidStream(
    "a principal that loses access during its streams",
    { principal: "leaver", code: "PERMISSION_DENIED", reason: /^leaver may not (consume topic shared|produce)$/ },
    (guard) => guard.token("leaver"),
    ({ changeRules }) => changeRules(rules.filter(({ principals }) => !principals.includes("leaver"))),
  ),
  cutInMidStream(
    "a token that expires during its streams",
    { principal: "worker", code: "UNAUTHENTICATED", reason: /have expired/ },
    // The server allows a clock skew of five seconds: the token is valid for at least four, so that
    // a loaded machine can start.
    (guard) => guard.jwt({ ...claims, exp: Math.floor(Date.now() / 1_000) }),
    () => Promise.resolve(),
  ),
];

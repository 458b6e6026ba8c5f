/**
 * The machine of the coordinator: it loses power, restarts, and stops for a while; its streams
 * break with it.
 */

import { UnknownPartitionError, UnknownTopicError } from "@logstore/codec";
import type {
  CommitOffsetsRequest,
  CommitResult,
  GroupMembership,
  JoinGroupRequest,
  MemberEvent,
  ResetOffsetsRequest,
} from "@logstore/protocol";
import { GroupCoordinator, type GroupCoordinatorOptions } from "../../src/group/group-coordinator.js";
import { GroupLog } from "../../src/group/journal/group-log.js";
import type { GroupChange } from "../../src/group/state/group-state.js";
import type { GroupTopics } from "../../src/group/state/group-topics.js";
import type { Clock } from "../../src/group/time/clock.js";
import { powerCutOutcomes, SimulatedDisk } from "../../src/testing/index.js";
import { groupsOn } from "../file-groups.js";
import type { Connection, End } from "./connection.js";
import { keyOf, type Oracle } from "./oracle.js";
import { Process } from "./process.js";
import type { World } from "./world.js";

export const GROUP = "billing";
const SLICED = 0.02;
const DAY_MS = 24 * 3_600_000;

export type Up =
  | { readonly type: "join"; readonly request: JoinGroupRequest }
  | { readonly type: "heartbeat" }
  | {
      readonly type: "revoked";
      readonly memberEpoch: number;
      readonly partitions: readonly { topic: string; partition: number }[];
    }
  | { readonly type: "subscribe"; readonly topics: readonly string[] }
  | { readonly type: "leave" };
export type Down = MemberEvent | { readonly type: "heartbeat" };

export class Server {
  readonly #world: World;
  readonly #oracle: Oracle;
  /** The number of partitions of each topic. */
  readonly topics: Map<string, number>;
  #disk: SimulatedDisk;
  #coordinator: GroupCoordinator | undefined;
  #life = { isOver: false };
  #process: Process;
  /** Epochs of resets that were decided but not acknowledged, by partition, in order. */
  readonly #resetEpochs = new Map<string, number[]>();
  readonly #streams = new Set<Connection<Up, Down>>();
  crashes = 0;

  constructor(world: World, oracle: Oracle, topics: Map<string, number>) {
    this.#world = world;
    this.#oracle = oracle;
    this.topics = topics;
    this.#process = new Process(world);
    this.#disk = new SimulatedDisk({ seed: world.random.seed() });
  }

  get coordinator(): GroupCoordinator | undefined {
    return this.#coordinator;
  }

  async start(): Promise<void> {
    const life = { isOver: false };
    this.#life = life;
    const { random } = this.#world;
    this.#disk.time = 1_700_000_000_000 + random.whole(-3 * DAY_MS, 3 * DAY_MS);
    this.#disk.onMutation = ({ kind }) =>
      kind === "sync" && random.chance(0.5) ? this.#world.sleep(random.whole(0, 60)) : undefined;
    await this.#disk.makeDirectory("data");
    if (this.#oracle.hasPendingResets) this.#oracle.recovered(await epochOnDisk(this.#disk));
    this.#resetEpochs.clear();
    const options: GroupCoordinatorOptions = {
      clock: this.#clock(life),
      snapshotBytes: 3000,
      onChange: (change) => this.#noteReset(change),
    };
    const coordinator = await GroupCoordinator.open(
      groupsOn(this.#disk, { segmentBytes: 1000 }),
      this.#groupTopics(),
      options,
    );
    if (coordinator.failure !== undefined) throw coordinator.failure;
    if (life.isOver) return;
    this.#coordinator = coordinator;
    await this.check();
  }

  /** The committed offsets must be at least those acknowledged. */
  async check(): Promise<void> {
    const offsets = await this.#coordinator?.fetchOffsets(GROUP);
    if (offsets !== undefined) this.#oracle.committed(offsets);
  }

  crash(): void {
    if (this.#coordinator === undefined) return;
    const { random } = this.#world;
    this.#die();
    const outcome = random.oneOf([...powerCutOutcomes, "kill"] as const);
    this.#disk = outcome === "kill" ? this.#disk.processKill() : this.#disk.powerCut(outcome, random.seed());
    this.#startLater();
  }

  /** Closes the coordinator and opens it again. */
  async restart(): Promise<void> {
    const coordinator = this.#coordinator;
    if (coordinator === undefined) return;
    this.#coordinator = undefined; // it accepts no more calls
    await coordinator.close();
    if (this.#life.isOver) return;
    this.#die();
    this.#disk = this.#disk.copy();
    this.#startLater();
  }

  #die(): void {
    this.crashes++;
    this.#coordinator = undefined;
    this.#life.isOver = true;
    this.#process = new Process(this.#world);
    for (const stream of this.#streams) stream.break(500);
    this.#streams.clear();
  }

  #startLater(): void {
    this.#world.after(this.#world.random.whole(0, 3000), () => {
      this.start().catch((error: unknown) => {
        this.#world.failure ??= error;
      });
    });
  }

  /** The process stops, as with SIGSTOP: time passes, and messages are not received. */
  stop(ms: number): void {
    this.#process.stop(ms);
  }

  go(): void {
    this.#process.go();
  }

  /**
   * The clock jumps while the server runs. When it opens, it trusts the clock for the expiry of
   * groups.
   */
  jumpClock(): void {
    if (this.#coordinator === undefined) return;
    this.#disk.time += this.#world.random.whole(-DAY_MS, DAY_MS) * 100;
  }

  connect(stream: Connection<Up, Down>): void {
    this.#streams.add(stream);
    stream.accept(this.#serve(stream));
  }

  #serve(stream: Connection<Up, Down>): End<Up> {
    let membership: GroupMembership | undefined;
    let events: AsyncIterator<MemberEvent> | undefined;
    const life = this.#life;
    return {
      receive: (message) =>
        this.#whenRunning(life, () => {
          this.#world.tell?.(`coordinator hears ${JSON.stringify(message)}`);
          if (this.#coordinator === undefined) stream.break(1000);
          else if (message.type === "join") {
            membership = this.#coordinator.joinGroup(message.request);
            events = membership[Symbol.asyncIterator]();
            void this.#pass(life, this.#coordinator, events, stream);
          } else if (message.type === "heartbeat") {
            membership?.heartbeat();
            stream.down({ type: "heartbeat" });
          } else if (message.type === "revoked") membership?.revoked(message.memberEpoch, message.partitions);
          else if (message.type === "subscribe") membership?.subscribe(message.topics);
          else membership?.leave().catch(() => {});
        }),
      closed: () =>
        this.#whenRunning(life, () => {
          this.#streams.delete(stream);
          void events?.return?.();
        }),
    };
  }

  async #pass(
    life: { readonly isOver: boolean },
    coordinator: GroupCoordinator,
    events: AsyncIterator<MemberEvent>,
    stream: Connection<Up, Down>,
  ): Promise<void> {
    let memberId = "";
    try {
      for (let next = await events.next(); !next.done; next = await events.next()) {
        if (life.isOver) return;
        const event = next.value;
        if (event.type === "joined") {
          memberId = event.memberId;
          this.#oracle.joined(memberId);
        }
        if (event.type === "assignment") {
          const members = new Set(
            (await coordinator.describeGroup(GROUP).catch(() => undefined))?.members.map((member) => member.memberId),
          );
          this.#checking(() => this.#oracle.assigned(memberId, event, (id) => members.has(id)));
        }
        this.#world.tell?.(`${memberId} is told ${JSON.stringify(event)}`);
        stream.down(event);
        // Some readers are slow.
        if (this.#world.random.chance(0.2)) await this.#world.sleep(this.#world.random.whole(0, 3000));
      }
      if (!life.isOver) stream.end();
    } catch (error) {
      if (life.isOver) return;
      const { code } = error as { code?: string };
      this.#world.tell?.(`${memberId} is told ${String(error)}`);
      if (code === "FENCED_MEMBER") this.#oracle.out(memberId);
      else if (code !== "CLOSED") this.#world.failure ??= error;
      stream.end(error);
    }
  }

  /**
   * A call to the coordinator and its response; either may be lost, and the call may arrive twice.
   */
  commit(
    request: CommitOffsetsRequest & { readonly memberId: string; readonly memberEpoch: number },
    answered: (results: CommitResult[] | undefined) => void,
  ): void {
    const { random } = this.#world;
    this.#oracle.asks(request.offsets);
    const times = random.chance(0.05) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      const isLost = random.chance(0.05);
      const delay = random.chance(0.1) ? random.whole(0, 20_000) : random.whole(1, 40);
      this.#world.after(delay, () => {
        if (isLost) this.#world.after(random.whole(500, 2000), () => answered(undefined));
        else this.#whenRunning(this.#life, () => void this.#takeCommit(request, answered));
      });
    }
  }

  async #takeCommit(
    request: CommitOffsetsRequest & { readonly memberId: string; readonly memberEpoch: number },
    answered: (results: CommitResult[] | undefined) => void,
  ): Promise<void> {
    const { random } = this.#world;
    const { memberId, memberEpoch, offsets } = request;
    const life = this.#life;
    let results: CommitResult[] | undefined;
    try {
      const moments = offsets.map((commit) => this.#oracle.momentOf(memberId, commit));
      results = await this.#coordinator?.commitOffsets(request);
      if (life.isOver) results = undefined;
      this.#world.tell?.(
        `commit ${JSON.stringify(request)} is answered ${JSON.stringify(results?.map((each) => each.error?.message))}`,
      );
      for (const [i, { error }] of results?.entries() ?? []) {
        if (error !== undefined) this.#oracle.refused++;
        else this.#oracle.acknowledged(memberId, memberEpoch, offsets[i]!, moments[i]!);
      }
    } catch (error) {
      results = undefined;
      const { code } = error as { code?: string };
      if (code !== "CLOSED" && !life.isOver) this.#world.failure ??= error;
    }
    const isLost = random.chance(0.05);
    this.#world.after(random.whole(1, 40), () => answered(isLost ? undefined : results));
  }

  /** Resets a partition's offset, retrying until it is acknowledged. */
  async reset(key: string, offset: number): Promise<void> {
    const [topic, partition] = key.split("/") as [string, string];
    const partitions = [{ topic, partition: Number(partition) }];
    while (!(await this.#resetOnce(key, { group: GROUP, partitions, to: offset }))) await this.#world.sleep(500);
  }

  async #resetOnce(key: string, request: ResetOffsetsRequest): Promise<boolean> {
    const coordinator = this.#coordinator;
    const life = this.#life;
    if (coordinator === undefined) return false;
    if ((await coordinator.describeGroup(GROUP).catch(() => undefined)) === undefined) return true; // nothing to reset
    if (life.isOver) return false;
    let isDone = false;
    const reset = coordinator.resetOffsets(request).then(
      () => {
        isDone = true;
      },
      () => {},
    );
    await Promise.race([reset, this.#whenOver(life)]);
    if (!isDone || life.isOver) return false;
    this.#oracle.resetIsAcknowledged(key, this.#resetEpochs.get(key)!.shift()!);
    return true;
  }

  /** Only changes made by resets have both an epoch and commits. */
  #noteReset({ epoch, commits = [] }: GroupChange): void {
    if (epoch === undefined) return;
    for (const { offset, ...each } of commits) {
      const key = keyOf(each);
      this.#world.tell?.(`${key} is reset to ${offset} at epoch ${epoch}`);
      this.#oracle.resets(key, offset, epoch);
      this.#resetEpochs.set(key, [...(this.#resetEpochs.get(key) ?? []), epoch]);
    }
  }

  async #whenOver(life: { readonly isOver: boolean }): Promise<void> {
    while (!life.isOver) await this.#world.sleep(200);
  }

  #groupTopics(): GroupTopics {
    const check = (topic: string, partition: number) => {
      const count = this.topics.get(topic);
      if (count === undefined) throw new UnknownTopicError(`no topic ${topic}`, { topic });
      if (partition >= count) throw new UnknownPartitionError(`no partition ${partition}`, { topic, partition });
      return this.#oracle.of(keyOf({ topic, partition }));
    };
    return {
      refresh: () => undefined,
      counts: () => new Map(this.topics),
      id: (topic) => `id-of-${topic}`,
      mayExist: (topic) => this.topics.has(topic),
      isDamaged: () => false,
      bounds: (topic, partition) => {
        const { end } = check(topic, partition);
        return { logStart: 0, highWatermark: end, logEnd: end };
      },
      resolve: async (topic, partition, position) => {
        const { end } = check(topic, partition);
        return position === "earliest" ? 0 : position === "latest" ? end : (position as number);
      },
      lag: async () => ({ logEndOffset: 0, lag: 0, lagMs: 0 }),
    };
  }

  #clock(life: { readonly isOver: boolean }): Clock {
    return {
      monotonic: () => this.#world.now,
      after: (ms, callback) => this.#world.after(ms, () => this.#whenRunning(life, callback)),
      soon: (callback) => void this.#world.after(0, () => this.#whenRunning(life, callback)),
      // Work on groups is interrupted at any point and continues a moment later; commits arrive in
      // between.
      slice: () => () => this.#coordinator !== undefined && this.#world.random.chance(SLICED),
    };
  }

  #whenRunning(life: { readonly isOver: boolean }, work: () => void): void {
    if (life.isOver) return;
    this.#process.do(() => {
      if (!life.isOver) this.#checking(work);
    });
  }

  #checking(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#world.failure ??= error;
    }
  }
}

/** Read from a copy, before the group changes further. */
async function epochOnDisk(disk: SimulatedDisk): Promise<number> {
  const log = await GroupLog.open(groupsOn(disk.copy()));
  const epoch = log.groups.get(GROUP)?.epoch ?? 0;
  await log.close();
  return epoch;
}

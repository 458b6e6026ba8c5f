/**
 * A consumer group under faults, determined by a seed: messages that arrive late or never, streams
 * that only one side considers open, members that stop for longer than their session, die and come
 * back, and a coordinator that loses power. Afterwards all faults cease for a while, and then
 * everything must have been processed, evenly assigned, and at rest.
 */
import assert from "node:assert/strict";
import { Random } from "../../src/testing/index.js";
import { Member, SESSION_TIMEOUT_MS } from "./member.js";
import { keyOf, Oracle } from "./oracle.js";
import { GROUP, Server } from "./server.js";
import { World } from "./world.js";

export interface SimulationTotals {
  readonly deliveries: number;
  readonly accepted: number;
  readonly refused: number;
  readonly crashes: number;
}

const TROUBLE_MS = 40_000;
const QUIET_MS = 30_000;

/** @param tell called with each event */
export async function simulate(seed: number, tell?: (what: string) => void): Promise<SimulationTotals> {
  const simulation = new Simulation(new Random(seed), tell);
  return simulation.run();
}

class Simulation {
  readonly #random: Random;
  readonly #world: World;
  readonly #oracle = new Oracle();
  readonly #server: Server;
  readonly #members: Member[] = [];
  readonly #topics: Map<string, number>;
  readonly #subscriptions: readonly (readonly string[])[];
  readonly #areStatic: boolean;
  readonly #assignor: "sticky" | "range" | "round-robin" | undefined;
  #isQuiet = false;
  #spawned = 0;

  constructor(random: Random, tell: ((what: string) => void) | undefined) {
    this.#random = random;
    this.#world = new World(random);
    this.#world.tell = tell && ((what) => tell(`${this.#world.now} ${what}`));
    const all = ["alpha", "beta", "gamma"];
    this.#topics = new Map(all.slice(0, random.whole(1, 3)).map((topic) => [topic, random.whole(1, 5)]));
    const choices = [["*"], all, ["alpha"], ["alpha", "beta"], ["*a"]];
    this.#subscriptions = random.chance(0.6) ? [random.oneOf([["*"], all])] : choices;
    this.#areStatic = random.chance(0.3);
    this.#assignor = random.oneOf([undefined, undefined, undefined, "range", "round-robin"]);
    for (const topic of all) {
      for (let partition = 0; partition < 5; partition++) this.#oracle.addPartition(keyOf({ topic, partition }));
    }
    this.#server = new Server(this.#world, this.#oracle, this.#topics);
  }

  async run(): Promise<SimulationTotals> {
    const { random } = this.#world;
    void this.#server.start().catch((error: unknown) => {
      this.#world.failure ??= error;
    });
    await this.#world.run(1000);
    const count = random.whole(1, 5);
    for (let i = 0; i < count; i++) this.#world.after(random.whole(0, 8000), () => this.#spawn(i));
    this.#produce();
    this.#trouble();
    this.#watch();
    await this.#world.run(TROUBLE_MS);
    await this.#calmDown(count);
    await this.#world.run(this.#world.now + QUIET_MS);
    await this.#checkAtRest();
    const { deliveries, accepted, refused } = this.#oracle;
    return { deliveries, accepted, refused, crashes: this.#server.crashes };
  }

  #spawn(place: number): void {
    const before = this.#members[place];
    if (before !== undefined && !before.isDead) return;
    const instanceId = this.#areStatic ? `instance-${place}` : undefined;
    const topics = this.#random.oneOf(this.#subscriptions);
    const chosenId = this.#random.chance(0.5) ? `member-${this.#spawned++}` : undefined;
    const options = { topics, instanceId, assignor: this.#assignor, chosenId };
    this.#members[place] = new Member(this.#world, this.#oracle, this.#server, options);
  }

  #produce(): void {
    for (const [topic, partitions] of this.#topics) {
      for (let partition = 0; partition < partitions; partition++) {
        if (this.#random.chance(0.3)) this.#oracle.of(keyOf({ topic, partition })).end += this.#random.whole(0, 4);
      }
    }
    if (!this.#isQuiet) this.#world.after(this.#random.whole(200, 1000), () => this.#produce());
  }

  /** Causes one fault after another. */
  #trouble(): void {
    if (this.#isQuiet) return;
    const { random } = this.#world;
    const place = random.whole(0, this.#members.length);
    const member = this.#members[place];
    const isThere = member !== undefined && !member.isDead;
    const kind = random.whole(0, 14);
    this.#world.tell?.(`trouble of kind ${kind} for ${member?.memberId}, at place ${place}`);
    if (kind <= 1) this.#server.crash();
    else if (kind === 2) void this.#attempt(this.#server.restart());
    else if (kind === 3) this.#server.stop(random.whole(500, 3 * SESSION_TIMEOUT_MS));
    else if (kind === 4) this.#server.jumpClock();
    else if (kind === 5) this.#resetSome();
    else if (kind === 6) this.#addTopic();
    else if (!isThere) this.#spawnLater(place);
    else if (kind <= 8) member.stop(random.whole(500, 2.5 * SESSION_TIMEOUT_MS));
    else if (kind <= 10) member.breakStream();
    else if (kind === 11) {
      member.die();
      this.#spawnLater(place);
    } else if (kind === 12) {
      member.leave();
      if (random.chance(0.5)) this.#world.after(4000, () => this.#spawnLater(place));
    } else if (kind === 13) member.subscribe(random.oneOf(this.#subscriptions));
    else this.#spawnLater(this.#members.length < 6 ? this.#members.length : place);
    this.#world.after(random.whole(200, 3000), () => this.#trouble());
  }

  #spawnLater(place: number): void {
    this.#world.after(this.#random.whole(0, 1.5 * SESSION_TIMEOUT_MS), () => {
      if (!this.#isQuiet) this.#spawn(place);
    });
  }

  #resetSome(): void {
    const topic = this.#random.oneOf([...this.#topics.keys()]);
    const key = keyOf({ topic, partition: this.#random.whole(0, this.#topics.get(topic)! - 1) });
    const { end } = this.#oracle.of(key);
    void this.#attempt(this.#server.reset(key, this.#random.oneOf([0, end, this.#random.whole(0, end)])));
  }

  #addTopic(): void {
    const topic = ["alpha", "beta", "gamma"].find((name) => !this.#topics.has(name));
    if (topic === undefined) return;
    this.#topics.set(topic, this.#random.whole(1, 5));
    this.#server.coordinator?.topicsChanged();
  }

  #watch(): void {
    void this.#attempt(this.#server.check());
    this.#world.after(1000, () => this.#watch());
  }

  async #attempt(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#world.failure ??= error;
    }
  }

  async #calmDown(count: number): Promise<void> {
    this.#isQuiet = true;
    this.#world.isCalm = true; // two consecutive late messages could cost a member its membership, indefinitely
    this.#world.tell?.("all goes well from here on");
    this.#server.go();
    for (const member of this.#members) {
      member?.go();
      if (member !== undefined) member.isCareless = false;
    }
    await this.#world.run(this.#world.now + 5000); // by then a server that is down has restarted
    if (this.#present().length === 0) for (let i = 0; i < count; i++) this.#spawn(this.#members.length);
  }

  #present(): Member[] {
    return this.#members.filter((member) => member !== undefined && !member.isDead && !member.isLeaving);
  }

  async #checkAtRest(): Promise<void> {
    const coordinator = this.#server.coordinator!;
    const before = await coordinator.describeGroup(GROUP);
    assert.equal(before.state, "stable");
    const present = this.#present();
    assert.deepEqual(
      before.members.map(({ memberId }) => memberId),
      present.map(({ memberId }) => memberId).sort(),
      "members",
    );
    for (const member of present) {
      const assigned = before.members
        .find(({ memberId }) => memberId === member.memberId)!
        .assigned.map(keyOf)
        .sort();
      assert.deepEqual(member.works, assigned, `what ${member.memberId} works on`);
    }
    this.#checkShares(present);
    this.#oracle.checkAllProcessed(this.#wanted(present));
    await this.#world.run(this.#world.now + 1.25 * SESSION_TIMEOUT_MS);
    const after = await coordinator.describeGroup(GROUP);
    assert.equal(after.groupEpoch, before.groupEpoch, "the epoch of a group at rest");
  }

  /**
   * Every partition that somebody subscribes to has an owner; and the assignment is even, if all
   * members have the same subscription and no other assignor was chosen.
   */
  #checkShares(present: readonly Member[]): void {
    const owned = present.flatMap(({ works }) => works);
    assert.deepEqual([...owned].sort(), [...this.#wanted(present)].sort(), "partitions that have an owner");
    const isSame = new Set(present.map(({ topics }) => this.#wantedBy(topics).join())).size === 1;
    if (!isSame || this.#assignor === "range") return;
    const sizes = present.map(({ works }) => works.length);
    assert(Math.max(...sizes) - Math.min(...sizes) <= 1, `shares of ${sizes}`);
  }

  #wanted(present: readonly Member[]): Set<string> {
    return new Set(present.flatMap(({ topics }) => this.#wantedBy(topics)));
  }

  #wantedBy(topics: readonly string[]): string[] {
    return [...this.#topics].flatMap(([topic, partitions]) => {
      const isWanted = topics.some((each) => each === "*" || each === topic || (each === "*a" && topic.endsWith("a")));
      return isWanted ? Array.from({ length: partitions }, (_, partition) => keyOf({ topic, partition })) : [];
    });
  }
}

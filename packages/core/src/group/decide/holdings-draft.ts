import type { Holding, Member } from "../state/group-state.js";

/** The partitions of a member while they are changed, copied on write. */
export class HoldingsDraft {
  readonly #member: Member;
  #holdings: Map<string, Map<number, Holding>> | undefined;
  readonly #copied = new Set<string>();

  constructor(member: Member) {
    this.#member = member;
  }

  get isChanged(): boolean {
    return this.#holdings !== undefined;
  }

  set(topic: string, partition: number, holding: Holding): void {
    this.#ofTopic(topic).set(partition, holding);
  }

  delete(topic: string, partition: number): void {
    const ofTopic = this.#ofTopic(topic);
    ofTopic.delete(partition);
    if (ofTopic.size === 0) {
      this.#holdings!.delete(topic);
      this.#copied.delete(topic);
    }
  }

  done(): Member {
    return this.#holdings === undefined ? this.#member : { ...this.#member, holdings: this.#holdings };
  }

  #ofTopic(topic: string): Map<number, Holding> {
    this.#holdings ??= new Map(this.#member.holdings as Map<string, Map<number, Holding>>);
    if (!this.#copied.has(topic)) {
      this.#holdings.set(topic, new Map(this.#holdings.get(topic)));
      this.#copied.add(topic);
    }
    return this.#holdings.get(topic)!;
  }
}

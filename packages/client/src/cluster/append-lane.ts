/**
 * The appends of one partition. They take effect in the order of the calls, also where their way
 * changes: none is sent a new way before those on the former one are answered.
 */
import type { ProduceAck, ProduceRequest } from "@logstore/protocol";
import { isRetriable } from "../common/retry.js";
import type { Way } from "./owner-connection.js";
import type { OwnedPartition } from "./routes.js";
import type { Ways } from "./ways.js";

interface WaitingAppend {
  readonly request: ProduceRequest;
  readonly resolve: (ack: ProduceAck) => void;
  readonly reject: (error: unknown) => void;
}

export class AppendLane {
  readonly #ways: Ways;
  readonly #partition: OwnedPartition;
  readonly #onIdle: () => void;
  /** The way of the appends that are not answered. */
  #way: Way | undefined;
  #unanswered = 0;
  #waiting: WaitingAppend[] = [];
  #isFinding = false;

  /** @param onIdle called when every append is answered */
  constructor(ways: Ways, partition: OwnedPartition, onIdle: () => void) {
    this.#ways = ways;
    this.#partition = partition;
    this.#onIdle = onIdle;
  }

  produce(request: ProduceRequest): Promise<ProduceAck> {
    const way = this.#waiting.length === 0 ? this.#ways.now(this.#partition) : undefined;
    if (way !== undefined && this.#isOpen(way)) return this.#send(way, request);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#goOn();
    });
  }

  #isOpen(way: Way): boolean {
    return this.#unanswered === 0 || way === this.#way;
  }

  /** Sends what waits, if it can be sent now. */
  #goOn(found?: Way): void {
    while (this.#waiting.length > 0) {
      const way = found ?? this.#ways.now(this.#partition);
      if (way === undefined) this.#find();
      if (way === undefined || !this.#isOpen(way)) return;
      const { request, resolve, reject } = this.#waiting.shift()!;
      this.#send(way, request).then(resolve, reject);
    }
  }

  #find(): void {
    if (this.#isFinding || this.#unanswered > 0) return;
    this.#isFinding = true;
    this.#ways.find(this.#partition).then((way) => {
      this.#isFinding = false;
      this.#goOn(way);
    });
  }

  async #send(way: Way, request: ProduceRequest): Promise<ProduceAck> {
    this.#way = way;
    this.#unanswered++;
    way.enter();
    try {
      return await way.log.produce(request);
    } catch (error) {
      this.#ways.failed(this.#partition, way, error);
      // Its sender sends it again. What waits must not come before it.
      if (isRetriable(error)) for (const { reject } of this.#waiting.splice(0)) reject(error);
      throw error;
    } finally {
      this.#unanswered--;
      way.leave();
      if (this.#unanswered === 0) this.#goOn();
      if (this.#unanswered === 0 && this.#waiting.length === 0) this.#onIdle();
    }
  }
}

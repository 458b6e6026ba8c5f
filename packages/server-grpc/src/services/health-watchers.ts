/** Health/Watch calls: each is notified when its status has changed. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ServerWritableStream, StatusObject } from "@grpc/grpc-js";
import { callAll } from "@logstore/codec";
import { stoppingError } from "./running-calls.js";

export interface HealthRequest {
  readonly service: string;
}

export interface HealthResponse {
  readonly status: "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";
}

export type WatchCall = ServerWritableStream<HealthRequest, HealthResponse>;

interface Watcher {
  /** Called when the status may have changed. */
  readonly changed: () => void;
  readonly end: () => void;
}

/** Number of watchers that check their status in one turn of the event loop. */
const WATCHERS_A_TURN = 100;

export class HealthWatchers {
  /**
   * Watchers are removed from this set when their calls end. A promise that lasts as long as the
   * server would keep them in memory.
   */
  readonly #watchers = new Set<Watcher>();
  #untold = new Set<Watcher>();
  #telling: Promise<void> | undefined;

  /**
   * Makes all watchers check their status again, a few per turn of the event loop: each connection
   * may have a thousand.
   */
  changed(): void {
    this.#untold = new Set(this.#watchers);
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
    });
  }

  /** Ends all calls. */
  end(): void {
    callAll([...this.#watchers].map(({ end }) => end));
  }

  /** Sends the status at once and after each change, until the call or the server ends. */
  async watch(
    call: WatchCall,
    statusOf: () => Promise<HealthResponse["status"]>,
    toStatus: (error: unknown) => Partial<StatusObject>,
  ): Promise<void> {
    let isOver = false;
    let isWriting = false;
    let wake = () => {};
    const watcher: Watcher = {
      changed: () => wake(),
      end: () => {
        isOver = true;
        wake();
      },
    };
    const send = (status: HealthResponse["status"]) => {
      isWriting = true;
      call.write({ status }, () => {
        isWriting = false;
        wake(); // the status may have changed meanwhile
      });
    };
    this.#watchers.add(watcher);
    call.once("cancelled", watcher.end);
    let sent: HealthResponse["status"] | undefined;
    try {
      while (!isOver) {
        // Made before the status is read: a change during that is not missed.
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const status = await statusOf();
        if (status !== sent && !isWriting && !isOver) {
          sent = status;
          send(status);
        }
        if (!isOver) await woken;
      }
      throw stoppingError();
    } catch (error) {
      if (!call.cancelled) call.emit("error", toStatus(error));
    } finally {
      this.#watchers.delete(watcher);
      this.#untold.delete(watcher);
    }
  }

  async #tellAll(): Promise<void> {
    while (this.#untold.size > 0) {
      let count = 0;
      for (const watcher of this.#untold) {
        this.#untold.delete(watcher);
        watcher.changed();
        if (++count === WATCHERS_A_TURN) break;
      }
      await nextTurn();
    }
  }
}

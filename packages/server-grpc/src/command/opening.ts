/**
 * Follows the opening of a broker's topics, which continues while the server listens, and logs its
 * progress and findings.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startInterval } from "@logstore/codec";
import type { Logger } from "pino";
import type { ServedBroker } from "./surroundings.js";

/** If opening takes less than this, the server waits for it before it listens, in ms. */
const OPEN_BEFORE_LISTENING_MS = 1_000;
const PROGRESS_INTERVAL_MS = 5_000;
/**
 * If a stop is requested during opening, it waits at most this long for topics whose opening has
 * started, in ms.
 */
const OPEN_GRACE_MS = 5_000;

export class Opening {
  readonly #broker: ServedBroker;
  readonly #log: Logger;
  readonly #failed = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;
  #isListening = false;

  constructor(broker: ServedBroker, log: Logger) {
    this.#broker = broker;
    this.#log = log;
  }

  /** Aborts if the data cannot be opened. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /**
   * Follows the opening; resolves when it has finished, or takes long.
   *
   * @throws if it has failed by then
   */
  async begin(): Promise<void> {
    const followed = this.#follow().catch((error: unknown) => {
      this.#failure = { error };
      if (this.#isListening) this.#log.error({ err: error }, "the data could not be opened");
      this.#failed.abort();
    });
    await Promise.race([followed, delay(OPEN_BEFORE_LISTENING_MS, undefined, { ref: false })]);
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#isListening = true;
  }

  /**
   * Called while the broker is being closed: resolves to whether no topic is being opened any more.
   */
  async endsSoon(): Promise<boolean> {
    if (this.#isOver) return true;
    const opened = Promise.resolve(this.#broker.opened).then(
      () => true,
      () => true,
    );
    return Promise.race([opened, delay(OPEN_GRACE_MS, false, { ref: false })]);
  }

  async #follow(): Promise<void> {
    const log = this.#log;
    const begun = performance.now();
    const { progress } = this.#broker;
    if (progress !== undefined && progress.topics > 0) log.debug(progress, "opening topics");
    const timer = startInterval(PROGRESS_INTERVAL_MS, () => log.info(this.#broker.progress, "opening topics"), {
      keepsAlive: false,
    });
    try {
      await this.#broker.opened;
    } finally {
      this.#isOver = true;
      timer.cancel();
    }
    logRecovery(log, this.#broker);
    const durationMs = Math.round(performance.now() - begun);
    const { topics, done } = this.#broker.progress ?? { topics: 0, done: 0 };
    if (durationMs >= OPEN_BEFORE_LISTENING_MS && done === topics)
      log.info({ topics, durationMs }, "all topics are open");
  }
}

function logRecovery(log: Logger, { recovery }: ServedBroker): void {
  for (const { topic, partition, tornTail, damage, failure } of recovery.partitions) {
    if (tornTail !== undefined) log.warn({ topic, partition, tornTail }, "a torn tail was cut off when it was opened");
    if (damage !== undefined) log.error({ topic, partition, err: damage }, "a partition is damaged");
    if (failure !== undefined) log.error({ topic, partition, err: failure }, "a partition takes no appends");
  }
  for (const { topic, directory, error } of recovery.unreadable) {
    log.error({ topic, directory, err: error }, "a topic cannot be opened");
  }
  for (const { topic, snapshot, directory, error } of recovery.unreadableSnapshots) {
    log.error({ topic, snapshot, directory, err: error }, "a snapshot cannot be read");
  }
  if (recovery.groups !== undefined) log.error({ err: recovery.groups }, "consumer groups are not served");
}

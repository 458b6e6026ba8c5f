/** Events of a client's connection. */
import { channel } from "node:diagnostics_channel";
import type { LogStoreError } from "@logstore/codec";
import { textOf } from "./thrown.js";

/**
 * A change of the connection to a server. `lost`: a call failed because the server could not be
 * reached; `retried`: another call failed for this reason; `restored`: the server answered again.
 * Failed calls are retried within their time limits.
 */
export type ClientEvent =
  | { readonly type: "lost"; readonly address: string; readonly error: LogStoreError }
  | {
      readonly type: "retried";
      readonly address: string;
      readonly error: LogStoreError;
      /** Calls that failed since the connection was lost, the first one included. */
      readonly failures: number;
      /** Time since the connection was lost, ms. */
      readonly lostMs: number;
    }
  | {
      readonly type: "restored";
      readonly address: string;
      /** How long the connection was lost, ms. */
      readonly lostMs: number;
    };

/** Receives the events of a client. If it throws, the error is reported as a process warning. */
export type OnClientEvent = (event: ClientEvent) => void;

/**
 * Publishes the events of all clients in the process: subscribe with `node:diagnostics_channel`.
 */
const events = channel("logstore.client.event");

/** Interval between default warnings while the connection is lost, ms. */
const REPEAT_MS = 30_000;

/** Derives events from the outcomes of calls. */
export class ConnectionWatch {
  readonly #onEvent: OnClientEvent;
  #lostAt: number | undefined;
  #failures = 0;

  /** @param onEvent default: process warnings, which Node prints to stderr */
  constructor(onEvent: OnClientEvent = warnings()) {
    this.#onEvent = onEvent;
  }

  failed(error: LogStoreError, address: string): void {
    this.#failures++;
    if (this.#lostAt === undefined) {
      this.#lostAt = performance.now();
      this.#tell({ type: "lost", address, error });
    } else {
      const lostMs = Math.round(performance.now() - this.#lostAt);
      this.#tell({ type: "retried", address, error, failures: this.#failures, lostMs });
    }
  }

  succeeded(address: string): void {
    if (this.#lostAt === undefined) return;
    const lostMs = Math.round(performance.now() - this.#lostAt);
    this.#lostAt = undefined;
    this.#failures = 0;
    this.#tell({ type: "restored", address, lostMs });
  }

  #tell(event: ClientEvent): void {
    if (events.hasSubscribers) events.publish(event);
    try {
      this.#onEvent(event);
    } catch (error) {
      process.emitWarning(`the onEvent function of a client threw: ${textOf(error)}`, { type: "LogStoreWarning" });
    }
  }
}

/**
 * The default: a warning when the connection is lost, at intervals while it is, and when it is
 * restored.
 */
function warnings(): OnClientEvent {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (event) => {
    const now = performance.now();
    if (event.type === "retried" && now - lastAt < REPEAT_MS) return;
    lastAt = now;
    process.emitWarning(textOfEvent(event), {
      type: "LogStoreWarning",
      code: `LOGSTORE_CONNECTION_${event.type.toUpperCase()}`,
    });
  };
}

function textOfEvent(event: ClientEvent): string {
  if (event.type === "lost") return `${event.error.message}; retrying`;
  if (event.type === "restored") return `${event.address} answers again after ${event.lostMs} ms`;
  return `${event.error.message}; ${event.failures} calls failed within ${event.lostMs} ms, still retrying`;
}

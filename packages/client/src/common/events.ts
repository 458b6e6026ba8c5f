/** What a client reports beside the results of its calls. */
import { channel } from "node:diagnostics_channel";
import type { LogStoreError } from "@logstore/codec";
import { textOf } from "./thrown.js";

/**
 * Trouble with the connection to a server, and its end. `lost`: a call failed since the server was
 * not there; `retried`: another one did; `restored`: the server answered again. The calls concerned
 * are tried again for as long as they may be.
 */
export type ClientEvent =
  | { readonly type: "lost"; readonly address: string; readonly error: LogStoreError }
  | {
      readonly type: "retried";
      readonly address: string;
      readonly error: LogStoreError;
      /** Calls that failed since the connection was lost, the first one included. */
      readonly failures: number;
      /** How long the connection has been lost, ms. */
      readonly lostMs: number;
    }
  | {
      readonly type: "restored";
      readonly address: string;
      /** How long the connection was lost, ms. */
      readonly lostMs: number;
    };

/** Receives the events of a client. What it throws is reported as a process warning. */
export type OnClientEvent = (event: ClientEvent) => void;

/**
 * Every event of every client in the process goes here, too: subscribe with
 * `node:diagnostics_channel`.
 */
const events = channel("logstore.client.event");

/** How often, at most, the default reports that a connection is still lost, ms. */
const REPEAT_MS = 30_000;

/** Watches the outcome of calls to one server. */
export class ConnectionWatch {
  readonly #address: string;
  readonly #onEvent: OnClientEvent;
  #lostAt: number | undefined;
  #failures = 0;

  /** @param onEvent default: warnings of the process, which Node prints to stderr */
  constructor(address: string, onEvent: OnClientEvent = warnings()) {
    this.#address = address;
    this.#onEvent = onEvent;
  }

  failed(error: LogStoreError): void {
    const address = this.#address;
    this.#failures++;
    if (this.#lostAt === undefined) {
      this.#lostAt = performance.now();
      this.#tell({ type: "lost", address, error });
    } else {
      const lostMs = Math.round(performance.now() - this.#lostAt);
      this.#tell({ type: "retried", address, error, failures: this.#failures, lostMs });
    }
  }

  succeeded(): void {
    if (this.#lostAt === undefined) return;
    const lostMs = Math.round(performance.now() - this.#lostAt);
    this.#lostAt = undefined;
    this.#failures = 0;
    this.#tell({ type: "restored", address: this.#address, lostMs });
  }

  #tell(event: ClientEvent): void {
    if (events.hasSubscribers) events.publish(event);
    try {
      this.#onEvent(event);
    } catch (error) {
      process.emitWarning(`onEvent of a client threw: ${textOf(error)}`, { type: "LogStoreWarning" });
    }
  }
}

/**
 * The default: a line when a connection is lost, now and then while it is, and when it is restored.
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

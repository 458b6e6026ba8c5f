/** The options of a server with their defaults filled in. */
import { defaultBatchLimits } from "@logstore/codec";
import { MAX_CONNECTIONS, RECEIVE_BUDGET_BYTES, SEND_BUDGET_BYTES } from "../transport/limits.js";
import type { ServeOptions } from "./serve-options.js";

/** Options without a default, which may be absent. */
type Optional = "tls" | "access" | "connectToBroker" | "maxConnectionsPerAddress" | "insecure";

export type Settings = Required<Omit<ServeOptions, Optional>> & Pick<ServeOptions, Optional>;

export const DEFAULT_HOST = "127.0.0.1";

export function settingsOf({ ...options }: ServeOptions): Settings {
  for (const name of Object.keys(options) as (keyof ServeOptions)[]) {
    if (options[name] === undefined) delete options[name]; // the default below applies
  }
  return {
    host: DEFAULT_HOST,
    port: 7411,
    maxBatchBytes: defaultBatchLimits.maxBatchBytes,
    maxConnections: MAX_CONNECTIONS,
    sendBudgetBytes: SEND_BUDGET_BYTES,
    receiveBudgetBytes: RECEIVE_BUDGET_BYTES,
    stalledStreamTimeoutMs: 60_000,
    drainTimeoutMs: 10_000,
    reflection: true,
    // biome-ignore lint/suspicious/noConsole: the default shows defects to whoever runs the program.
    onError: console.error,
    // biome-ignore lint/suspicious/noConsole: as above.
    onWarning: (message) => console.warn(message),
    onRefused: () => {},
    ...options,
  };
}

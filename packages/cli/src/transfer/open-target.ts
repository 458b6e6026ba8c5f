/** The target of a copy. */
import { connect, type LogApi, type LogClient } from "@logstore/client";
import type { Context } from "../command/context.js";
import { UsageError } from "../errors/cli-error.js";
import { openPlace } from "../place/open-place.js";
import { resolvePlace } from "../place/resolve-place.js";

export interface TargetOptions {
  readonly to?: string;
  readonly toProfile?: string;
  readonly toData?: string;
  /** Limit of each call to a server, in ms. */
  readonly timeout?: number;
}

/** Undefined if the target is the place that is read from. It is closed when the command ends. */
export async function openTarget(
  context: Context,
  { to, toProfile, toData, timeout }: TargetOptions,
): Promise<{ readonly client: LogClient; readonly api: LogApi } | undefined> {
  if ([to, toProfile, toData].filter((given) => given !== undefined).length > 1) {
    throw new UsageError("--to, --to-profile and --to-data all say where the copy goes: give one");
  }
  if (toData !== undefined) return openDirectory(context, toData);
  if (to === undefined && toProfile === undefined) return undefined;
  const named = to === undefined ? { profile: toProfile } : { server: to };
  // The token of the environment is for the source.
  const environment = { ...context.environment, LOGSTORE_TOKEN: undefined, LOGSTORE_TOKEN_FILE: undefined };
  const place = await resolvePlace(named, environment);
  const target = to === undefined ? place : { ...place, origin: "--to" };
  const open = await openPlace(target, { timeoutMs: timeout, signal: context.signal });
  context.onEnd(() => open.close());
  return open;
}

/** Opens a data directory for writing, and creates it if it does not exist. */
export async function openDirectory(
  context: Context,
  directory: string,
): Promise<{ readonly client: LogClient; readonly api: LogApi }> {
  const { Broker } = await import("@logstore/core");
  const broker = await Broker.open(directory);
  const client = connect(broker);
  context.onEnd(async () => {
    try {
      await client.close();
    } finally {
      await broker.close();
    }
  });
  return { client, api: broker };
}

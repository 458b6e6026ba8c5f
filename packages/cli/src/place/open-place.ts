/** Opens a place: the same client works on a server and on a directory. */
import { readFile } from "node:fs/promises";
import {
  type ClientEvent,
  type ConnectOptions,
  connect,
  GrpcLogApi,
  type LogApi,
  type LogClient,
  PermissionDeniedError,
  UnavailableError,
} from "@logstore/client";
import { NotALogStoreError } from "@logstore/codec";
import { CliError, UsageError } from "../errors/cli-error.js";
import { exitCodes } from "../errors/exit-codes.js";
import { unlessAborted } from "../waiting/unless-aborted.js";
import type { DirectoryPlace, Place, ServerPlace, TokenSource } from "./place.js";

/** An open place. */
export interface OpenPlace {
  readonly place: Place;
  readonly client: LogClient;
  /** The log behind the client, without its conveniences. */
  readonly api: LogApi;
  close(): Promise<void>;
}

const never = new AbortController().signal;

/** How a place is opened. */
export interface OpenOptions {
  /** Limit of each call. Default: the client's own. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait for a server that does not answer. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws CliError UNAVAILABLE where no seed answers; what the server answers with; the reason of
 * the signal
 */
export function openPlace(place: Place, options: OpenOptions = {}): Promise<OpenPlace> {
  return place.kind === "server" ? openServer(place, options) : openDirectory(place);
}

async function openServer(place: ServerPlace, { timeoutMs, signal = never }: OpenOptions): Promise<OpenPlace> {
  if (place.token !== undefined && place.tls === undefined) {
    throw new UsageError("a token is only sent over TLS", { hint: "add --tls, or --ca-file for a CA of your own" });
  }
  const options: ConnectOptions = {
    ...(place.tls !== undefined && { tls: Object.keys(place.tls).length === 0 ? true : place.tls }),
    ...(place.token !== undefined && { token: await tokenOf(place.token) }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
  const failures: string[] = [];
  for (const seed of place.seeds) {
    const found = await connected(seed, options, signal);
    if (!("failure" in found)) return openOn(place, found.api, () => found.api.close());
    failures.push(found.failure);
  }
  throw new CliError("UNAVAILABLE", `no server answers: ${failures.join("; ")}`, {
    exitCode: exitCodes.unavailable,
    hint: `the address comes from ${place.origin}; logstore dev starts a server to play with`,
  });
}

/**
 * A client retries for a while, as a service needs it. A user waits for this command, so that the
 * first failed connection is an error.
 */
async function connected(
  seed: string,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<{ readonly api: GrpcLogApi } | { readonly failure: string }> {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {}); // no call may be waiting for it
  const onEvent = (event: ClientEvent) => {
    if (event.type === "lost") lost.reject(event.error);
  };
  const api = new GrpcLogApi(seed, { ...options, onEvent });
  try {
    await unlessAborted(Promise.race([api.describeServer(), lost.promise]), signal);
    return { api };
  } catch (error) {
    if (error instanceof PermissionDeniedError) return { api }; // the server answered, and may permit other calls
    api.close();
    if (error instanceof UnavailableError) return { failure: error.message };
    throw error;
  }
}

function openOn(place: Place, api: LogApi, closeApi: () => Promise<void> | void): OpenPlace {
  const client = connect(api);
  return {
    place,
    api,
    client,
    close: async () => {
      try {
        await client.close();
      } finally {
        await closeApi();
      }
    },
  };
}

async function tokenOf(source: TokenSource): Promise<string> {
  if ("token" in source) return source.token;
  try {
    return (await readFile(source.tokenFile, "utf8")).trim();
  } catch (error) {
    throw new UsageError(`the token cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function openDirectory(place: DirectoryPlace): Promise<OpenPlace> {
  const { ReadOnlyBroker } = await import("@logstore/core");
  try {
    const broker = await ReadOnlyBroker.open(place.directory);
    return openOn(place, broker, () => broker.close());
  } catch (error) {
    if (error instanceof NotALogStoreError) {
      const { findStores } = await import("../directory/find-stores.js");
      await findStores(place.directory); // says which directory to name, if this is another one
    }
    throw error;
  }
}

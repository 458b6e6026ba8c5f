/** A connection to the NATS cluster, and its JetStream. */
import { readFile } from "node:fs/promises";
import { InvalidArgumentError } from "@logstore/codec";
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { notConnected } from "./failures.js";

/** Bytes of a message left for its headers. */
const HEADER_ROOM_BYTES = 4096;

/**
 * How long the first attempt may take of a request that is made again until it succeeds, in ms. A
 * request that was sent to a leader that has died is never answered, and the next leader is elected
 * 4 to 9 s later: what is asked anew every 1.5 s hears from it soon, while a leader that is merely
 * busy has answered before.
 */
export const FIRST_ATTEMPT_MS = 1_500;

/** What every part of the engine needs of NATS. */
export interface Nats {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly manager: JetStreamManager;
  /** For questions that are asked again until they are answered: a request is short. */
  readonly asking: JetStreamManager;
  /** Number of replicas of each stream. */
  readonly replicas: number;
  /** Largest body of a message, in bytes. */
  readonly maxBodyBytes: number;
  /** How long one request may take, in ms. */
  readonly requestTimeoutMs: number;
}

export interface ConnectNatsOptions {
  readonly connection: NodeConnectionOptions;
  readonly credentialsFile: string | undefined;
  readonly replicas: number;
  readonly requestTimeoutMs: number;
}

/** @throws UnavailableError, UnauthenticatedError or InvalidArgumentError */
export async function connectNats(options: ConnectNatsOptions): Promise<Nats> {
  const { connection: given, credentialsFile, replicas, requestTimeoutMs } = options;
  // A node that is stopped, not dead, accepts connections and answers nothing: it is left soon.
  const lasting = { timeout: 2_000, maxReconnectAttempts: -1, reconnectTimeWait: 250, pingInterval: 2_000 };
  const authenticator = credentialsFile && credsAuthenticator(await readCredentials(credentialsFile));
  let connection: NatsConnection | undefined;
  try {
    connection = await connect({ ...lasting, ...given, ...(authenticator && { authenticator }) });
    const js = jetstream(connection, { timeout: requestTimeoutMs });
    const manager = await js.jetstreamManager();
    const timeout = Math.min(FIRST_ATTEMPT_MS, requestTimeoutMs);
    const asking = await jetstreamManager(connection, { timeout, checkAPI: false });
    const maxBodyBytes = (connection.info?.max_payload ?? 1024 * 1024) - HEADER_ROOM_BYTES;
    return { connection, js, manager, asking, replicas, maxBodyBytes, requestTimeoutMs };
  } catch (error) {
    await connection?.close();
    throw notConnected(error);
  }
}

async function readCredentials(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new InvalidArgumentError(
      `the file of NATS credentials cannot be read: ${(error as Error).message}`,
      {},
      { cause: error },
    );
  }
}

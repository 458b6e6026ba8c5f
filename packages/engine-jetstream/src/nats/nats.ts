/** A connection to the NATS cluster, and its JetStream. */
import { readFile } from "node:fs/promises";
import { InvalidArgumentError } from "@logstore/codec";
import { type JetStreamClient, type JetStreamManager, jetstream } from "@nats-io/jetstream";
import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { askAgain } from "./ask-again.js";
import { notConnected } from "./failures.js";

/** Bytes of a message left for its headers. */
const HEADER_ROOM_BYTES = 4096;

/** What every part of the engine needs of NATS. */
export interface Nats {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Number of replicas of each stream. */
  readonly replicas: number;
  /** Largest body of a message at present, in bytes: the servers' `max_payload` may change. */
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
  const credentials = credentialsFile === undefined ? undefined : await credentialsOf(credentialsFile);
  let connection: NatsConnection | undefined;
  try {
    connection = await connect({ ...lasting, ...given, ...credentials });
    const js = jetstream(connection, { timeout: requestTimeoutMs });
    const manager = await askAgain(requestTimeoutMs, () => js.jetstreamManager());
    const limit = payloadLimit(connection);
    return {
      connection,
      js,
      manager,
      replicas,
      requestTimeoutMs,
      get maxBodyBytes() {
        return limit() - HEADER_ROOM_BYTES;
      },
    };
  } catch (error) {
    await connection?.close();
    throw notConnected(error);
  }
}

/** The largest message at present, in bytes; while there is no connection, that of the last one. */
function payloadLimit(connection: NatsConnection): () => number {
  let last = 1024 * 1024;
  return () => {
    last = connection.info?.max_payload ?? last;
    return last;
  };
}

async function credentialsOf(file: string): Promise<NodeConnectionOptions> {
  try {
    const authenticator = credsAuthenticator(await readFile(file));
    authenticator("nonce"); // it reads them only now
    return { authenticator };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidArgumentError(`the file of NATS credentials cannot be read: ${file}: ${why}`, {}, { cause });
  }
}

/** A generic gRPC client: any method, any bytes. */

import { fileURLToPath } from "node:url";
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import { protoDirectory, protoFiles, protoLoaderOptions } from "@logstore/protocol";

const loaded = loadSync([...protoFiles], { ...protoLoaderOptions, includeDirs: [fileURLToPath(protoDirectory)] });
const asIs = (bytes: Buffer): Buffer => bytes;

export type Answer = { readonly status: number; readonly message: string; readonly detail: string | undefined };
/** `bytes` is the length of the response message. */
export type UnaryAnswer = Answer & { readonly bytes: number };

export function encode(message: string, fields: object): Buffer {
  return (loaded[`logstore.v1.${message}`] as MessageTypeDefinition<object, object>).serialize(fields);
}

export function decode(message: string, bytes: Buffer): object {
  return (loaded[`logstore.v1.${message}`] as MessageTypeDefinition<object, object>).deserialize(bytes);
}

/** Paths of all methods of the services of `logstore.v1`. */
export const methodPaths: readonly string[] = Object.entries(loaded)
  .filter(([name]) => name.endsWith("Service"))
  .flatMap(([name, service]) => Object.keys(service).map((method) => `/${name}/${method}`));

interface OpenOptions {
  readonly metadata: Metadata;
  readonly endless?: boolean;
  readonly onMessage: (message: Buffer) => void;
}

export class Stranger {
  readonly #client: Client;

  constructor(address: string, shown: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(address, shown, {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_send_message_length": -1,
      "grpc.max_receive_message_length": -1,
    });
  }

  /** Never rejects; the result contains the status. */
  call(path: string, request: Buffer, metadata = new Metadata()): Promise<UnaryAnswer> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(path, asIs, asIs, request, metadata, (error, answer) =>
        resolve({ ...answerOf(error), bytes: answer?.length ?? 0 }),
      );
    });
  }

  /** Sends requests and half-closes; resolves to the number of responses and the status. */
  stream(path: string, requests: readonly Buffer[]): Promise<Answer & { answers: number }> {
    return new Promise((resolve) => {
      let answers = 0;
      const call = this.#client.makeBidiStreamRequest(path, asIs, asIs);
      call.on("data", () => answers++);
      call.on("error", (error: ServiceError) => resolve({ ...answerOf(error), answers }));
      call.on("end", () => resolve({ ...answerOf(null), answers }));
      for (const request of requests) call.write(request);
      call.end();
    });
  }

  /**
   * Opens a stream that sends the request once, or repeatedly as fast as it is accepted; resolves
   * to the status.
   */
  open(path: string, request: Buffer, { metadata, endless = false, onMessage }: OpenOptions): Promise<Answer> {
    const call = this.#client.makeBidiStreamRequest(path, asIs, asIs, metadata);
    let isOver = false;
    const send = () => {
      while (endless && !isOver && call.write(request));
    };
    call.on("data", onMessage).on("drain", send);
    if (endless) send();
    else call.end(request);
    return new Promise((resolve) => {
      const end = (error: ServiceError | null) => {
        isOver = true;
        resolve(answerOf(error));
      };
      call.on("error", end).on("end", () => end(null));
    });
  }

  /** Opens a stream on which requests are sent one by one. */
  duplex(path: string, onMessage: (message: Buffer) => void, metadata = new Metadata()) {
    const call = this.#client.makeBidiStreamRequest(path, asIs, asIs, metadata);
    call.on("data", onMessage);
    const ended = new Promise<Answer>((resolve) => {
      call.on("error", (error: ServiceError) => resolve(answerOf(error))).on("end", () => resolve(answerOf(null)));
    });
    return {
      ended,
      write: (request: Buffer) => void call.write(request),
      end: (request: Buffer) => void call.end(request),
      cancel: () => call.cancel(),
    };
  }

  close(): void {
    this.#client.close();
  }
}

function answerOf(error: ServiceError | null): Answer {
  if (error === null) return { status: 0, message: "", detail: undefined };
  const [trailer] = error.metadata?.get("grpc-status-details-bin") ?? [];
  // The stable code is readable in the packed detail.
  const detail = trailer === undefined ? undefined : /[A-Z]+(?:_[A-Z]+)+|[A-Z]{6,}/.exec(String(trailer))?.[0];
  return { status: error.code, message: error.details, detail };
}

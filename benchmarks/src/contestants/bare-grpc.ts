/**
 * The baseline of a served log: grpc-js alone, transferring messages of the same size that are
 * empty and not processed.
 */

import { subscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import type { ServerHttp2Stream } from "node:http2";
import type { ServerDuplexStream, ServerWritableStream, ServiceDefinition } from "@grpc/grpc-js";
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Server,
  ServerCredentials,
} from "@grpc/grpc-js";

import type { Certificate } from "../processes/certificate.ts";

/** The size at which the client of LogStore sends a batch. */
export const MESSAGE_BYTES = 256 * 1024;
/** The size of the messages that it asks a server for. */
export const RESPONSE_BYTES = 512 * 1024;
const WINDOW_BYTES = 8 * 1024 * 1024;
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
/** Largest number of unacknowledged messages. */
const UNACKED_MESSAGES = 32;

const same = (bytes: Buffer) => bytes;
const method = (name: string, requestStream: boolean) => ({
  path: `/bare/${name}`,
  requestStream,
  responseStream: true,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const service = {
  download: method("download", false),
  upload: method("upload", true),
  tail: method("tail", false),
} satisfies ServiceDefinition;

/** Resolves to the port. Raises the receive windows of all connections of this process. */
export async function serveBare(certificate?: Certificate): Promise<number> {
  subscribe("http2.server.stream.created", (message) => {
    const { session } = (message as { stream: ServerHttp2Stream }).stream;
    session?.settings({ initialWindowSize: WINDOW_BYTES });
    (session as { setLocalWindowSize?(size: number): void } | undefined)?.setLocalWindowSize?.(WINDOW_BYTES);
  });
  const tails = new Set<ServerWritableStream<Buffer, Buffer>>();
  const server = new Server({ "grpc.max_receive_message_length": MAX_MESSAGE_BYTES });
  server.addService(service, {
    download(call: ServerWritableStream<Buffer, Buffer>) {
      const message = Buffer.alloc(call.request.readUInt32LE(0), 1);
      let left = call.request.readUInt32LE(4);
      const write = () => {
        while (left > 0) {
          left--;
          if (!call.write(message)) return void call.once("drain", write);
        }
        call.end();
      };
      write();
    },
    upload(call: ServerDuplexStream<Buffer, Buffer>) {
      const ack = Buffer.alloc(16);
      call.on("data", (message: Buffer) => {
        for (const tail of tails) tail.write(message);
        call.write(ack);
      });
      call.on("end", () => call.end());
    },
    /** Gets every message of every upload from now on. */
    tail(call: ServerWritableStream<Buffer, Buffer>) {
      tails.add(call);
      call.on("cancelled", () => tails.delete(call));
      call.write(Buffer.alloc(0));
    },
  });
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", serverCredentials(certificate), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

function serverCredentials(certificate: Certificate | undefined): ServerCredentials {
  if (certificate === undefined) return ServerCredentials.createInsecure();
  const { certFile, keyFile } = certificate;
  const pair = { cert_chain: readFileSync(certFile), private_key: readFileSync(keyFile) };
  return ServerCredentials.createSsl(null, [pair]);
}

export class BareClient {
  readonly #client: Client;

  constructor(port: number, certificate?: Certificate) {
    const channel = certificate
      ? credentials.createSsl(readFileSync(certificate.certFile))
      : credentials.createInsecure();
    this.#client = new Client(`127.0.0.1:${port}`, channel, {
      "grpc-node.flow_control_window": WINDOW_BYTES,
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    });
  }

  async download(messageBytes: number, messages: number): Promise<void> {
    const request = Buffer.alloc(8);
    request.writeUInt32LE(messageBytes, 0);
    request.writeUInt32LE(messages, 4);
    const call: ClientReadableStream<Buffer> = this.#client.makeServerStreamRequest(
      service.download.path,
      same,
      same,
      request,
    );
    let bytes = 0;
    for await (const message of call) bytes += (message as Buffer).length;
    if (bytes !== messageBytes * messages) throw new Error(`${bytes} bytes came`);
  }

  async upload(messageBytes: number, messages: number): Promise<void> {
    const call: ClientDuplexStream<Buffer, Buffer> = this.#client.makeBidiStreamRequest(
      service.upload.path,
      same,
      same,
    );
    let acked = 0;
    let wake = () => {};
    call.on("data", () => {
      acked++;
      wake();
    });
    const ended = new Promise((resolve, reject) => call.once("end", resolve).once("error", reject));
    for (let sent = 0; sent < messages; sent++) {
      while (sent - acked >= UNACKED_MESSAGES) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      call.write(Buffer.alloc(messageBytes, 1));
    }
    call.end();
    await ended;
    if (acked !== messages) throw new Error(`${acked} messages were acknowledged`);
  }

  /** A stream of messages, each of which is sent when the one before is acknowledged. */
  live(): BareLive {
    return new BareLive(this.#client);
  }

  close(): void {
    this.#client.close();
  }
}

/** A producer whose values wait for the acknowledgement of those before, and a tail. */
export class BareLive {
  readonly #client: Client;
  readonly #upload: ClientDuplexStream<Buffer, Buffer>;
  #tail: ClientReadableStream<Buffer> | undefined;
  #waiting: Buffer[] = [];
  #isUnderWay = false;
  #isIdle: (() => void) | undefined;

  constructor(client: Client) {
    this.#client = client;
    this.#upload = client.makeBidiStreamRequest(service.upload.path, same, same);
    this.#upload.on("error", () => {}); // it is cancelled at the end
    this.#upload.on("data", () => this.#sendNext());
  }

  send(value: Buffer): void {
    this.#waiting.push(value);
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    process.nextTick(() => this.#sendNext());
  }

  #sendNext(): void {
    this.#isUnderWay = this.#waiting.length > 0;
    if (this.#isUnderWay) this.#upload.write(Buffer.concat(this.#waiting.splice(0)));
    else this.#isIdle?.();
  }

  /** Resolves when the tail has begun. Values have `valueBytes` bytes each. */
  async tail(valueBytes: number, use: (value: Uint8Array) => void): Promise<void> {
    this.#tail = this.#client.makeServerStreamRequest(service.tail.path, same, same, Buffer.alloc(0));
    this.#tail.on("error", () => {}); // it is cancelled at the end
    await new Promise<void>((resolve) => {
      this.#tail!.on("data", (message: Buffer) => {
        resolve();
        for (let at = 0; at < message.length; at += valueBytes) use(message.subarray(at, at + valueBytes));
      });
    });
  }

  async flush(): Promise<void> {
    if (this.#isUnderWay) await new Promise<void>((resolve) => (this.#isIdle = resolve));
  }

  close(): void {
    this.#upload.cancel();
    this.#tail?.cancel();
  }
}

/**
 * Declarations that program fragments in the packages' READMEs and in docs rely on. Programs that
 * are run declare everything themselves.
 */
import type * as packageClient from "@logstore/client";
import type { Broker } from "@logstore/core";
import type * as packageServer from "@logstore/server-grpc";
import type { Tracer } from "@opentelemetry/api";

declare global {
  interface Flight {
    carrier: string;
    delay: number;
  }
  const connect: typeof packageClient.connect;
  const json: typeof packageClient.json;
  const serve: typeof packageServer.serve;
  const client: packageClient.LogClient;
  const broker: Broker;
  const consumer: packageClient.Consumer<Flight>;
  const record: packageClient.ConsumerRecord;
  const tracer: Tracer;
  const yesterday: Date;
  function currentToken(): Promise<string>;
  function charge(flight: Flight): Promise<void>;
  function bill(customer: Uint8Array | null, amount: number): Promise<void>;
}

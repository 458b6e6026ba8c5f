/**
 * A server with TLS and otherwise the flags and durability of the command's. Prints its address;
 * exits on SIGTERM.
 */
import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { packageOf } from "../../contestants/checkout.ts";

setFlagsFromString("--heap-growing-percent=400");
setFlagsFromString("--external-memory-accounted-in-global-limit");
const [directory, certFile, keyFile, durability = "written", other] = process.argv.slice(2);
const checkout = other === "" ? undefined : other;
const { Broker } = await packageOf<typeof import("@logstore/core")>("core", checkout);
const { serve } = await packageOf<typeof import("@logstore/server-grpc")>("server-grpc", checkout);
const broker = await Broker.open(directory!, { durability: durability as "written" | "flushed" });
const options = { port: 0, tls: { certFile: certFile!, keyFile: keyFile! } };
const server = await serve(broker, options);
console.log(`listening on ${server.address}`);
await once(process, "SIGTERM");
await server.stop();
await broker.close();

/**
 * Serves the site on PORT, 8080 by default, until Ctrl-C. With LOGSTORE_SERVER=host:port the log is
 * on a server; without, it is in `data/`, in this process.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, json } from "@logstore/client";
import { Broker } from "@logstore/core";
import { type Access, createSite, TOPIC } from "./site.ts";
import { Statistics } from "./statistics.ts";

const server = process.env["LOGSTORE_SERVER"];
const broker = server === undefined ? await Broker.open("data/") : undefined;
const client = connect(broker ?? server!);
await client.ensureTopic(TOPIC, { partitions: 4 });

const statistics = new Statistics();
const following = statistics.follow(client);
// An access is worth less than the time of a flush for each: it survives the death of the process.
const site = createSite(client.producer(TOPIC, { value: json<Access>(), durability: "written" }), statistics);
site.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1");
await once(site, "listening");
console.log(`open http://127.0.0.1:${(site.address() as AddressInfo).port}/statistics and reload it; Ctrl-C ends`);

const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await Promise.race([stopped, following]);
site.closeAllConnections();
site.close();
await client.close();
await broker?.close();

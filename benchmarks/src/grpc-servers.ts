/** A process with both servers: ours on a data directory, and the bare one. Says its ports, ends with its parent. */
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { serveBare } from "./bare-grpc.ts";

const [directory = ""] = process.argv.slice(2);
const broker = await Broker.open(directory, { durability: "written" });
const server = await serve(broker, { port: 0 });
process.send?.({ address: server.address, barePort: await serveBare() });
process.once("disconnect", async () => {
  await server.stop();
  await broker.close();
  process.exit();
});

import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";

export interface ServedBroker {
  readonly broker: Broker;
  readonly address: string;
  close(): Promise<void>;
}

/** A broker in memory, or in a directory, served on loopback. */
export async function serveBroker(directory = ":memory:"): Promise<ServedBroker> {
  const broker = await Broker.open(directory);
  const server = await serve(broker, { port: 0 });
  return {
    broker,
    address: server.address,
    close: async () => {
      await server.stop();
      await broker.close();
    },
  };
}

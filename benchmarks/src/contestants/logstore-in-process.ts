/** A broker on the JetStream engine in the process of its client: what gRPC costs is left out. */
import { packageOf } from "./checkout.ts";
import { consumeWhole, preparedSealed } from "./logstore-client.ts";
import type { ClientOptions, LogConnection } from "./served.ts";
import type { Source } from "./values.ts";

export const settings = "a broker in the process of the client; defaults";

export async function connect(address: string, { checkout, durability }: ClientOptions): Promise<LogConnection> {
  const { JetStreamEngine } = await packageOf<typeof import("@logstore/engine-jetstream")>(
    "engine-jetstream",
    checkout,
  );
  const { Broker } = await packageOf<typeof import("@logstore/core")>("core", checkout);
  const { connect: connectTo } = await packageOf<typeof import("@logstore/client")>("client", checkout);
  const { RecordBatchBuilder: Builder } = await packageOf<typeof import("@logstore/codec")>("codec", checkout);
  const servers = address.split(",").map((server) => `nats://${server}`);
  const api = await Broker.openOn(await JetStreamEngine.open({ servers, namespace: "in-process" }));
  const client = connectTo(api);
  const prepare = (topic: string, source: Source) => preparedSealed({ api, Builder, headroomBytes: 0 }, topic, source);
  return {
    createTopic: async (topic) => void (await client.createTopic(topic, { partitions: 1, durability })),
    deleteTopic: (topic) => client.deleteTopic(topic),
    produce: (topic, source) => prepare(topic, source)(),
    prepare,
    consume: (topic, sink) => consumeWhole(client, topic, sink),
    async close() {
      await client.close();
      await api.close();
    },
  };
}

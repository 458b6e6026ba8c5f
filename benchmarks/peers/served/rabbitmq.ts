/** RabbitMQ Streams by rabbitmq-stream-js-client. */
import { connect as connectTo, Offset } from "rabbitmq-stream-js-client";
import type { LogConnection } from "../../src/contestants/served.ts";

export const settings = "send() of 1,000 messages and flush(), 4 times unconfirmed; a consumer from the first offset";

export async function connect(address: string): Promise<LogConnection> {
  const [hostname, port] = address.split(":");
  const account = { username: "guest", password: "guest", vhost: "/" };
  const client = await connectTo({ hostname: hostname!, port: Number(port), ...account });
  const publisherOf = async (stream: string) => {
    const publisher = await client.declarePublisher({ stream });
    let confirmed = 0;
    let failure: unknown;
    let wake = () => {};
    publisher.on("publish_confirm", (error, ids) => {
      if (error !== null) failure ??= new Error(`error ${error}`);
      confirmed += ids.length;
      wake();
    });
    const confirm = async (count: number) => {
      while (confirmed < count && failure === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure !== undefined) throw failure;
    };
    return { publisher, confirm };
  };
  return {
    createTopic: async (stream) => void (await client.createStream({ stream })),
    deleteTopic: async (stream) => void (await client.deleteStream({ stream })),
    async produce(stream, source) {
      const { publisher, confirm } = await publisherOf(stream);
      for (let batch = source.next(); batch !== undefined; batch = source.next()) {
        for (const value of batch.values) await publisher.send(value);
        await publisher.flush();
        await confirm(batch.base + batch.values.length - (source.inFlight - 1) * source.batch);
      }
      await confirm(source.count);
      await publisher.close();
    },
    async consume(stream, sink, count) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const consumer = await client.declareConsumer({ stream, offset: Offset.first() }, ({ content }) => {
        try {
          sink.use(content);
        } catch (error) {
          reject(error);
        }
        if (sink.seen === count) resolve();
      });
      await promise;
      await consumer.close();
    },
    async live(stream) {
      const { publisher } = await publisherOf(stream);
      let sent: Promise<unknown> = Promise.resolve();
      let failure: unknown;
      let close = async () => {};
      return {
        send(value) {
          sent = publisher.send(value).catch((error: unknown) => {
            failure ??= error;
          });
        },
        async tail(use) {
          const from = { stream, offset: Offset.first() };
          const consumer = await client.declareConsumer(from, ({ content }) => use(content));
          close = async () => void (await consumer.close());
        },
        async flush() {
          await sent;
          await publisher.flush();
          if (failure !== undefined) throw failure;
        },
        async close() {
          await close();
          await publisher.close();
        },
      };
    },
    close: async () => void (await client.close()),
  };
}

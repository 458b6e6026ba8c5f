/** A Nest application whose controllers handle the events of a log. */
import "reflect-metadata";
import { testBroker } from "@logstore/testing";
import { Controller, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from "@nestjs/microservices";
import { EMPTY, firstValueFrom, of, throwError } from "rxjs";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  LogStoreClient,
  type LogStoreContext,
  LogStoreRecord,
  LogStoreServer,
  type LogStoreServerOptions,
} from "./index.js";

interface Order {
  readonly amount: number;
}

let broker: Awaited<ReturnType<typeof testBroker>>;
const seen: string[] = [];
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  broker = await testBroker({ topics: { orders: 2, refunds: 1 } });
  seen.length = 0;
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await broker.close();
});

@Controller()
class Orders {
  @EventPattern<string>("orders")
  async placed(@Payload() order: Order, @Ctx() context: LogStoreContext): Promise<void> {
    if (order.amount < 0) throw new RpcException(`an order of ${order.amount}`);
    if (order.amount === 13 && context.getAttempt() < 3) throw new Error("unlucky");
    seen.push(`${context.getTopic()} ${context.getKey()} ${order.amount} attempt ${context.getAttempt()}`);
  }

  @EventPattern("refunds")
  refunded(@Payload() order: Order) {
    if (order.amount === 0) return throwError(() => new RpcException("nothing to refund"));
    seen.push(`refund ${order.amount}`);
    return of("ignored");
  }
}

@Controller()
class Audit {
  @EventPattern("refunds")
  refunded(@Payload() order: Order): void {
    seen.push(`audit ${order.amount}`);
  }
}

@Module({ controllers: [Orders, Audit] })
class AppModule {}

async function start(module: object = AppModule, options: Partial<LogStoreServerOptions> = {}) {
  const strategy = new LogStoreServer({
    client: broker.client,
    group: "shop",
    consumer: { commitIntervalMs: 20 },
    run: { retry: { attempts: 3, initialBackoffMs: 1 } },
    ...options,
  } as LogStoreServerOptions);
  const application = await NestFactory.createMicroservice(module as never, { strategy, logger: false });
  closing.push(() => application.close());
  await application.listen();
  return { application, strategy };
}

function proxy(): LogStoreClient {
  const client = new LogStoreClient({ client: broker.client });
  closing.push(() => client.close());
  return client;
}

test("an event reaches its handlers, and is committed when they are done", async () => {
  const { strategy } = await start();
  const ack = await firstValueFrom(proxy().emit("orders", new LogStoreRecord({ key: "ada", value: { amount: 3 } })));
  expect(ack).toMatchObject({ durability: "flushed" });
  await firstValueFrom(proxy().emit("refunds", { amount: 2 }));
  await broker.caughtUp("shop");
  expect(seen.toSorted()).toEqual(["audit 2", "orders ada 3 attempt 1", "refund 2"]);
  expect(strategy.unwrap()).toBe(broker.client);
  expect(await firstValueFrom(strategy.status)).toBe("running");
});

test("an event whose handler fails is tried again, and parked when it keeps failing; others go on", async () => {
  await start();
  await broker.produce("orders", [
    { key: "a", value: { amount: -1 } },
    { key: "b", value: { amount: 13 } },
    { key: "c", value: "no JSON" },
    { key: "a", value: { amount: 4 } },
  ]);
  await broker.produce("refunds", [{ value: { amount: 0 } }]);
  await broker.caughtUp("shop");
  expect(seen.filter((line) => line.startsWith("orders")).toSorted()).toEqual([
    "orders a 4 attempt 1",
    "orders b 13 attempt 3",
  ]);
  const parked = await Array.fromAsync(broker.client.parked("orders", "shop"));
  expect(parked.map(({ reason, attempts }) => [reason, attempts]).toSorted()).toEqual([
    [expect.stringContaining("a value cannot be deserialized"), 1],
    ["an order of -1", 3],
  ]);
  const refunds = await Array.fromAsync(broker.client.parked("refunds", "shop"));
  expect(refunds.map(({ reason }) => reason)).toEqual(["nothing to refund"]);
});

test("an event is processed when each of its handlers is done, and retried only then", async () => {
  const released = Promise.withResolvers<void>();
  @Controller()
  class Slow {
    @EventPattern<string>("orders")
    async placed(@Payload() _: Order, @Ctx() context: LogStoreContext): Promise<void> {
      seen.push(`slow ${context.getAttempt()}`);
      await released.promise;
      seen.push(`slow ${context.getAttempt()} done`);
    }
  }
  @Controller()
  class Quick {
    @EventPattern<string>("orders")
    placed(@Payload() { amount }: Order, @Ctx() context: LogStoreContext) {
      seen.push(`quick ${context.getAttempt()}`);
      if (amount === 13 && context.getAttempt() === 1) throw new Error("unlucky");
      return EMPTY;
    }
  }
  @Module({ controllers: [Slow, Quick] })
  class Both {}
  await start(Both);
  await broker.produce("orders", [{ value: { amount: 13 } }]);
  await expect.poll(() => seen.toSorted(), { timeout: 10_000 }).toEqual(["quick 1", "slow 1"]);
  await expect(broker.caughtUp("shop", { timeoutMs: 200 })).rejects.toThrow("has 1 records left");
  expect(seen).toHaveLength(2);
  released.resolve();
  await broker.caughtUp("shop");
  expect(seen.slice(2).toSorted()).toEqual(["quick 2", "slow 1 done", "slow 2", "slow 2 done"]);
});

test("a pattern handles the topics that it matches, by all of its handlers", async () => {
  @Controller()
  class Any {
    @EventPattern<string>("*d*s")
    any(@Payload() { amount }: Order, @Ctx() context: LogStoreContext): void {
      seen.push(`any ${context.getTopic()} ${amount}`);
    }

    @EventPattern("1e3")
    named({ amount }: Order): void {
      seen.push(`named ${amount}`);
    }
  }
  @Module({ controllers: [Any, Audit] })
  class AnyModule {}
  await broker.client.createTopic("1e3", { partitions: 1 });
  await start(AnyModule);
  for (const topic of ["orders", "refunds", "1e3"]) await broker.produce(topic, [{ value: { amount: 1 } }]);
  await broker.caughtUp("shop");
  expect(seen.toSorted()).toEqual(["any orders 1", "any refunds 1", "audit 1", "named 1"]);
});

test("whatever a handler or a hook throws, the event is retried and parked, and others go on", async () => {
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  @Controller()
  class Throwing {
    @EventPattern("orders")
    placed({ amount }: Order): void {
      if (amount === 0) throw new RpcException(loop);
      seen.push(`order ${amount}`);
    }
  }
  @Module({ controllers: [Throwing] })
  class ThrowingModule {}
  const { strategy } = await start(ThrowingModule);
  let hooked = 0;
  strategy.setOnProcessingStartHook(async (_, __, done) => {
    if (hooked++ === 0) throw new Error("before the handlers");
    await done();
  });
  strategy.setOnProcessingEndHook(() => {
    throw new Error("after the handlers");
  });
  await broker.produce("orders", [{ value: { amount: 0 } }, { value: { amount: 1 } }]);
  await broker.caughtUp("shop");
  expect(seen).toEqual(["order 1"]);
  const parked = await Array.fromAsync(broker.client.parked("orders", "shop"));
  expect(parked.map(({ reason, attempts }) => [reason, attempts])).toEqual([["[object Object]", 3]]);
});

test("the application goes on after the broker has lost power, and another instance takes over when it closes", async () => {
  const { application } = await start();
  await broker.produce("orders", [{ key: "a", value: { amount: 1 } }]);
  await broker.caughtUp("shop");
  await broker.powerCut();
  await broker.produce("orders", [{ key: "a", value: { amount: 2 } }]);
  await broker.caughtUp("shop");
  await application.close();
  expect((await broker.client.describeGroup("shop")).members).toEqual([]);
  await start();
  await broker.produce("orders", [{ key: "a", value: { amount: 3 } }]);
  await broker.caughtUp("shop");
  expect(seen).toEqual(["orders a 1 attempt 1", "orders a 2 attempt 1", "orders a 3 attempt 1"]);
});

test("a client that it opened itself is closed with it", async () => {
  const client = new LogStoreClient({ address: "127.0.0.1:1", connect: { onEvent() {} } });
  expect(() => client.unwrap()).toThrow("connect() first");
  const inner = await client.connect();
  await client.close();
  await expect(inner.listTopics()).rejects.toMatchObject({ code: "CLOSED" });
  await broker.client.listTopics(); // the module does not close a client that was passed to it
});

test("requests are refused on both sides, with a message that says what to do", async () => {
  @Controller()
  class Requests {
    @MessagePattern("sum")
    sum(): number {
      return 0;
    }
  }
  @Module({ controllers: [Requests] })
  class RequestsModule {}
  await expect(start(RequestsModule)).rejects.toThrow(
    '@MessagePattern("sum"): a log takes events and sends no replies',
  );
  await expect(firstValueFrom(proxy().send("sum", [1, 2]))).rejects.toThrow('send("sum"): a log takes events');
});

test("options of the client are checked when the application starts, and nothing stays open", async () => {
  const strategy = new LogStoreServer({ address: "127.0.0.1:1", group: "shop", consumer: { from: "now" as never } });
  const application = await NestFactory.createMicroservice(AppModule as never, { strategy, logger: false });
  await expect(application.listen()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(strategy.unwrap().listTopics()).rejects.toMatchObject({ code: "CLOSED" });
});

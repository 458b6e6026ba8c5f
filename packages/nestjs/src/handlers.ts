/** The event handlers of an application, by the topics that they handle. */
import type { MessageHandler } from "@nestjs/microservices";
import { isObservable, lastValueFrom } from "rxjs";

export class Handlers {
  readonly #byPattern = new Map<string, MessageHandler[]>();

  add(pattern: string, handler: MessageHandler): void {
    const others = this.#byPattern.get(pattern);
    if (others === undefined) this.#byPattern.set(pattern, [handler]);
    else others.push(handler);
  }

  /** Names of topics, and patterns with `*`. */
  get patterns(): string[] {
    return [...this.#byPattern.keys()];
  }

  /** The pattern of a handler that expects requests; undefined if there is none. */
  get requestPattern(): string | undefined {
    const found = [...this.#byPattern].find(([, handlers]) => handlers.some(({ isEventHandler }) => !isEventHandler));
    return found?.[0];
  }

  /**
   * Calls the handlers of a topic. Resolves when all of them are done, even if one fails, and then
   * rejects with the first failure: the next attempt does not overlap this one.
   */
  async handle(topic: string, data: unknown, context: unknown): Promise<void> {
    const handlers = [...this.#byPattern].flatMap(([pattern, some]) => (matches(pattern, topic) ? some : []));
    if (handlers.length === 0) throw new Error(`no handler for the topic ${topic}`);
    const outcomes = await Promise.allSettled(handlers.map((handler) => done(handler, data, context)));
    const failed = outcomes.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }
}

async function done(handler: MessageHandler, data: unknown, context: unknown): Promise<void> {
  const result = await handler(data, context);
  if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
}

/** As the group matches topics: a pattern does not match parked topics unless it says so. */
function matches(pattern: string, topic: string): boolean {
  if (!pattern.includes("*")) return pattern === topic;
  if (topic.endsWith(".parked") && !pattern.endsWith(".parked")) return false;
  const expression = pattern.replaceAll(/[^\w*]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${expression}$`).test(topic);
}

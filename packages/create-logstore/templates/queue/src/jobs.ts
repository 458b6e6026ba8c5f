/** The queue: jobs in a topic, workers in a consumer group. */
import { json, type LogClient } from "@logstore/client";

export interface Email {
  readonly to: string;
  readonly subject: string;
}

export const TOPIC = "emails";
export const GROUP = "senders";

/** Resolves when all jobs are durable. Those of one recipient are done in order. */
export async function enqueue(client: LogClient, emails: Iterable<Email>): Promise<void> {
  const producer = client.producer(TOPIC, { value: json<Email>() });
  await producer.sendMany(Array.from(emails, (email) => ({ key: email.to, value: email })));
  await producer.close();
}

/**
 * Starts a worker; start more of them, here or in other processes, to share the work. A job that
 * fails is tried again, and parked when it keeps failing. `done` resolves when the worker is
 * closed.
 */
export function startWorker(client: LogClient, send: (email: Email, attempt: number) => Promise<void>) {
  const consumer = client.consumer({ group: GROUP, topics: [TOPIC], value: json<Email>(), commitIntervalMs: 100 });
  const done = consumer.run({
    concurrency: 8,
    retry: { attempts: 3, initialBackoffMs: 10 },
    eachRecord: ({ value }, { attempt }) => send(value, attempt),
  });
  return { done, close: () => consumer.close() };
}

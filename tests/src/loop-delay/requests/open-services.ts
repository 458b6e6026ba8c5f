/** Health and reflection, which need no credentials. */
import type { Stranger } from "../../hostile/stranger.ts";
import { createTopic, type LargeRequest, some, times } from "../request.ts";

const CALLS = 100;

/** A message with one string in `field`. */
function textIn(field: number, text: string): Buffer {
  return Buffer.concat([Buffer.of(field * 8 + 2, text.length), Buffer.from(text)]);
}

async function answered(stranger: Stranger, path: string, request: Buffer): Promise<void> {
  const { status, message } = await stranger.call(path, request);
  if (status !== 0) throw new Error(`${path}: ${status} ${message}`);
}

async function reflect(stranger: Stranger, requests: readonly Buffer[]): Promise<void> {
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const { status, answers } = await stranger.stream(path, requests);
  if (status !== 0 || answers !== requests.length) throw new Error(`${path}: ${status}, ${answers} answers`);
}

/** Resolves when each of the watchers has received its first response. They stay open. */
async function watch(stranger: Stranger, count: number): Promise<void> {
  await times(count, async (i) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const call = stranger.duplex("/grpc.health.v1.Health/Watch", () => resolve());
    call.end(textIn(1, `topic/topic-${i}`));
    await promise;
  });
}

export const openServices: readonly LargeRequest[] = [
  {
    name: "Health/Check of topics, 100 at once",
    async prepare(stranger) {
      const names = Array.from({ length: 980 }, (_, i) => `topic-${i}`);
      await some(20, names, (topic) => createTopic(stranger, topic, 1));
    },
    run: (stranger) =>
      times(CALLS, (i) => answered(stranger, "/grpc.health.v1.Health/Check", textIn(1, `topic/topic-${i}`))),
  },
  {
    name: "Health/List of 980 topics, 20 at once",
    run: (stranger) => times(20, () => answered(stranger, "/grpc.health.v1.Health/List", Buffer.alloc(0))),
  },
  {
    name: "Health/Watch of topics, 100 at once",
    run: (stranger) => watch(stranger, CALLS),
  },
  {
    name: "a topic is created while 900 streams watch health",
    prepare: (stranger) => watch(stranger, 800),
    run: (stranger) => times(10, (i) => createTopic(stranger, `new-${i}`, 1)),
  },
  {
    name: "reflection: 2,000 requests for a file on each of 10 streams",
    // Field 4: file_containing_symbol.
    run: (stranger) =>
      times(10, () => reflect(stranger, Array(2_000).fill(textIn(4, "logstore.v1.ConsumerGroupService")))),
  },
  {
    name: "reflection: 2,000 requests for the list on each of 10 streams",
    // Field 7: list_services.
    run: (stranger) => times(10, () => reflect(stranger, Array(2_000).fill(textIn(7, "")))),
  },
];

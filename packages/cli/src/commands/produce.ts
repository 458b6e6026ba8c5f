import type { CompressionName, Durability, Producer } from "@logstore/client";
import type { Context } from "../command/context.js";
import { CliError } from "../errors/cli-error.js";
import { describeError } from "../errors/describe-error.js";
import { bytes, count, counted } from "../output/numbers.js";
import type { Column } from "../output/table.js";
import { type RecordOptions, recordMaker, type ToRecord } from "./produce/input-record.js";
import { type Input, lineInputs, totalBytes, wholeInputs } from "./produce/inputs.js";
import { Outcome, type PartitionOutcome } from "./produce/outcome.js";
import { type Pace, paceOf } from "./produce/pace.js";

interface Options extends RecordOptions {
  readonly compression?: CompressionName;
  readonly durability?: Durability;
  readonly rate?: number;
  readonly create?: boolean;
}

/**
 * Ends at the end of the input, at the first record that fails, or on Ctrl-C. Every record that was
 * sent has then been acknowledged or refused, and counted.
 */
export async function run(context: Context, options: Options, topic: string, files: string[]): Promise<void> {
  const toRecord = recordMaker(options);
  const total = await totalBytes(files);
  const { client } = await context.open();
  if (options.create) await client.ensureTopic(topic);
  else await client.describeTopic(topic); // reports a missing topic before the first line is read
  const { output, signal, stdin } = context;
  if (files.length === 0 && stdin.isTTY) output.note("records are read from the terminal, one a line; Ctrl-D ends");
  const { compression, durability } = options;
  const producer = client.producer(topic, { compression, durability });
  const inputs = options.input === "file" ? wholeInputs(files, stdin) : lineInputs(files, stdin, signal);
  const outcome = new Outcome();
  const hasBar = !(files.length === 0 && stdin.isTTY);
  const progress = hasBar ? await output.progress({ label: `producing to ${topic}`, total, unit: "bytes" }) : undefined;
  try {
    await sendAll({ producer, inputs, toRecord, outcome, pace: paceOf(options.rate, signal), signal }, (done) =>
      progress?.update(done),
    );
    await producer.close();
  } finally {
    progress?.end();
  }
  const { failure, acknowledged, partitions } = outcome;
  if (failure !== undefined) {
    const before = `${counted(acknowledged, "record")} appended before that`;
    const { code, message, hint, exitCode } = describeError(failure.error);
    throw new CliError(code, `${failure.where}: ${message}; ${before}`, {
      exitCode,
      cause: failure.error,
      ...(hint !== undefined && { hint }),
    });
  }
  await output.result({ topic, records: acknowledged, bytes: outcome.bytes, partitions }, () => [
    `${counted(acknowledged, "record")}, ${bytes(outcome.bytes)}, appended to ${topic}`,
    ...(partitions.length === 0 ? [] : output.table(partitions, columns)),
  ]);
}

const columns: readonly Column<PartitionOutcome>[] = [
  { title: "PARTITION", align: "right", value: ({ partition }) => String(partition) },
  { title: "RECORDS", align: "right", value: ({ records }) => count(records) },
  { title: "FIRST OFFSET", align: "right", value: ({ firstOffset }) => count(firstOffset) },
  { title: "LAST OFFSET", align: "right", value: ({ lastOffset }) => count(lastOffset) },
];

interface Sending {
  readonly producer: Producer;
  readonly inputs: AsyncIterable<Iterable<Input>>;
  readonly toRecord: ToRecord;
  readonly outcome: Outcome;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

async function sendAll(sending: Sending, onRead: (bytes: number) => void): Promise<void> {
  const { producer, inputs, toRecord, outcome, pace, signal } = sending;
  let read = 0;
  for await (const some of inputs) {
    for (const { where, bytes } of some) {
      const waiting = pace();
      if (waiting !== undefined) await waiting;
      if (signal.aborted || outcome.failure !== undefined) return;
      read += bytes.length + 1;
      try {
        const record = toRecord(bytes);
        if (record === undefined) continue;
        const size = Buffer.byteLength(record.value) + (record.key ? Buffer.byteLength(record.key) : 0);
        producer.send(record).then(
          (ack) => outcome.acknowledge(ack, size),
          (error: unknown) => outcome.fail(error, where),
        );
      } catch (error) {
        outcome.fail(error, where);
        return;
      }
      await producer.ready();
    }
    onRead(read);
  }
}

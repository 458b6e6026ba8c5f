import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@logstore/client";
import { Broker, type LogStoreHooks } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import type { Context } from "../command/context.js";
import { DevLog } from "../dev/dev-log.js";
import { CliError } from "../errors/cli-error.js";

interface Options {
  readonly port?: number;
  readonly partitions?: number;
}

const DEFAULT_PORT = 7411;
/** An example in a new directory. Nothing is added to a directory that a user already has. */
const FIRST_TOPIC = "hello";

/** Serves a directory on this machine until it is interrupted, and prints what happens. */
export async function run(context: Context, options: Options, directory?: string): Promise<void> {
  const { output, signal } = context;
  context.endsBySignal();
  const { port = DEFAULT_PORT, partitions = 4 } = options;
  const data = directory ?? (await temporaryDirectory(context));
  const log = new DevLog(output);
  context.onEnd(() => log.close());
  let isNew = false;
  const hooks: LogStoreHooks = {
    failed: ({ topic, partition, error }) =>
      log.problem(`${topic} ${partition} takes no more appends: ${error.message}`),
    damaged: ({ topic, partition, error }) => log.problem(`${topic} ${partition} is damaged: ${error.message}`),
    warned: ({ type, message }) => {
      if (type === "newDirectory") isNew = true;
      else log.problem(message);
    },
  };
  const broker = await Broker.open(data, { hooks });
  context.onEnd(() => broker.close());
  const server = await listening(broker, port, log);
  context.onEnd(() => server.stop());
  const client = connect(broker);
  if (isNew) await client.createTopic(FIRST_TOPIC, { partitions });
  const topic = isNew ? FIRST_TOPIC : (await client.listTopics())[0]?.topic;
  await output.write(welcome(context, { address: server.address, data, isTemporary: directory === undefined, topic }));
  log.follow(client, signal);
  if (!signal.aborted) await once(signal, "abort");
  output.note("stopping");
}

async function listening(broker: Broker, port: number, log: DevLog) {
  try {
    return await serve(broker, {
      port,
      drainTimeoutMs: 1_000,
      onError: (error) => log.problem(String(error)),
      onWarning: (message) => log.problem(message),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new CliError("EADDRINUSE", `port ${port} is taken, perhaps by another server`, {
      cause: error,
      hint: "add --port 0 for a free one, and give the commands its address with --server",
    });
  }
}

async function temporaryDirectory(context: Context): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "logstore-dev-"));
  context.onEnd(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

interface Welcome {
  readonly address: string;
  readonly data: string;
  readonly isTemporary: boolean;
  /** A topic to try the commands with. */
  readonly topic: string | undefined;
}

function welcome({ output: { style } }: Context, { address, data, isTemporary, topic }: Welcome): string {
  const line = (command: string, what: string) => `  ${style("cyan", command.padEnd(57))}${style("dim", what)}`;
  const isDefault = address.endsWith(`:${DEFAULT_PORT}`);
  const isExample = topic === FIRST_TOPIC;
  return [
    `${style(["bold", "green"], "logstore dev")} listens on ${style("bold", address)}`,
    `data in ${data}${isTemporary ? style("dim", ", deleted at the end") : ""}`,
    "",
    "Try, in another terminal:",
    "",
    ...(isDefault ? [] : [line(`export LOGSTORE_SERVER=${address}`, "for the commands")]),
    ...(isExample ? [line(`logstore bench --topic ${topic} --rate 500 --records 30000`, "a minute of records")] : []),
    line("logstore top", "watch what happens"),
    ...(topic === undefined ? [] : [line(`logstore tail ${topic}`, "look at the records")]),
    line("echo Hello | logstore produce greetings --create", "a topic of your own"),
    line("logstore --help", "everything else"),
    "",
    "In a program:",
    "",
    style("dim", `  import { connect } from "@logstore/client";`),
    style("dim", `  const client = connect("${address}");`),
    ...(isExample ? [style("dim", `  await client.producer("${topic}").send({ key: "you", value: "Hello!" });`)] : []),
    "",
    `${style("dim", "Ctrl-C ends it. What happens:")}`,
    "",
  ].join("\n");
}

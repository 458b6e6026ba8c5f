/**
 * The life of a server process: what is opened is closed in reverse order, and each step is logged.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { LogStoreHooks } from "@logstore/core";
import type { Logger } from "pino";
import { serve } from "../server.js";
import type { LogStoreServer } from "../serving/log-store-server.js";
import { storageHooks } from "../telemetry/storage-hooks.js";
import { checkStart } from "./check-start.js";
import { clusterEvents } from "./cluster-events.js";
import type { CommandLine } from "./command-line.js";
import type { Configuration } from "./config.js";
import type { ServerConfig } from "./config-schema.js";
import { connectToBroker } from "./connect-to-broker.js";
import { openLog } from "./log.js";
import { startTelemetry } from "./open-telemetry.js";
import { Opening } from "./opening.js";
import { refusedLog } from "./refused-log.js";
import { Reloader } from "./reloader.js";
import { serveOptions } from "./serve-options.js";
import type { ServedBroker, Surroundings } from "./surroundings.js";
import { version } from "./version.js";

/** If a stop is requested during opening, it waits at most this long for it, in ms. */
const OPEN_GRACE_MS = 5_000;

/** How long a broker that has handed over tells its clients who the owners are now, in ms. */
const NEW_OWNERS_TOLD_MS = 250;

const STOPPED_WHILE_OPENING = "stopped while the data was being opened: the next start recovers it";

/**
 * Returns the exit code.
 *
 * @throws the error that prevents the server from starting
 */
export async function serveUntilStopped(
  commandLine: CommandLine,
  { config, warnings }: Configuration,
  surroundings: Surroundings,
): Promise<number> {
  const opened = openLog(config.log, surroundings.logSink);
  const { log } = opened;
  try {
    for (const warning of warnings) log.warn(warning);
    await checkStart(config);
    const telemetry = await startTelemetry(config, version, opened);
    try {
      const broker = await openedBefore(surroundings.stopping, open(config, surroundings, log));
      if (broker === undefined) {
        log.warn(STOPPED_WHILE_OPENING);
        return 0;
      }
      const opening = new Opening(broker, log);
      let exitCode: number | undefined;
      try {
        await opening.begin();
        const ending = AbortSignal.any([surroundings.stopping, opening.failed]);
        if (!ending.aborted) {
          await serveBroker(
            broker,
            commandLine,
            config,
            { ...surroundings, stopping: ending },
            log,
            telemetry.metricsUrl,
          );
        }
      } finally {
        exitCode = await close(broker, opening, log);
      }
      return opening.failed.aborted ? 1 : exitCode;
    } finally {
      await telemetry.stop();
    }
  } finally {
    await opened.flush();
  }
}

function open(config: ServerConfig, { openBroker }: Surroundings, log: Logger): Promise<ServedBroker> {
  const onClusterEvent = config.engine === "jetstream" ? clusterEvents(log) : undefined;
  return openBroker(config, hooks(log), onClusterEvent);
}

/** Undefined if a stop was requested and opening took too long after that. */
async function openedBefore(stopping: AbortSignal, opening: Promise<ServedBroker>): Promise<ServedBroker | undefined> {
  const gaveUp = Promise.withResolvers<undefined>();
  let timer: NodeJS.Timeout | undefined;
  const onStop = () => {
    // biome-ignore lint/style/noRestrictedGlobals: a short, constant delay
    timer = setTimeout(() => gaveUp.resolve(undefined), OPEN_GRACE_MS);
  };
  if (stopping.aborted) onStop();
  else stopping.addEventListener("abort", onStop);
  try {
    return await Promise.race([opening, gaveUp.promise]);
  } finally {
    stopping.removeEventListener("abort", onStop);
    clearTimeout(timer);
  }
}

async function serveBroker(
  broker: ServedBroker,
  commandLine: CommandLine,
  config: ServerConfig,
  { environment, print, onReload, stopping }: Surroundings,
  log: Logger,
  metricsUrl: string | undefined,
): Promise<void> {
  const onError = (err: unknown) => log.error({ err }, "internal error: the peer was told no more than that");
  const onWarning = (message: string, err?: unknown) => log.warn({ ...(err !== undefined && { err }) }, message);
  const onRefused = refusedLog(log);
  const options = { ...serveOptions(config), onError, onWarning, onRefused };
  const server = await serve(broker, { ...options, connectToBroker: await connectToBroker(config, log) });
  logStart(log, config, server, metricsUrl);
  print(`logstore listening on ${server.address}`);
  // Before that, clients and the other brokers would find nobody there.
  broker.join?.().catch((err: unknown) => log.error({ err }, "the broker did not join the cluster"));
  const reloader = new Reloader(commandLine, config, environment, server, log);
  onReload(() => reloader.reload());
  if (!stopping.aborted) await once(stopping, "abort");
  await handOver(broker);
  await stop(server, config, log);
}

/** Has the other brokers of a cluster serve what this one owned, and tells clients so. */
async function handOver(broker: ServedBroker): Promise<void> {
  await broker.drain?.();
  if (broker.otherBrokers?.().length) await delay(NEW_OWNERS_TOLD_MS);
}

async function stop(server: LogStoreServer, { drainTimeoutMs }: ServerConfig, log: Logger): Promise<void> {
  const start = performance.now();
  log.info({ drainTimeoutMs }, "stopping: no new calls, those under way are finished");
  await server.stop();
  const durationMs = Math.round(performance.now() - start);
  if (durationMs < drainTimeoutMs) log.info({ durationMs }, "all calls are over");
  else log.warn({ durationMs }, "calls that were not over in time were cut off");
}

/** Returns the exit code; if this fails, acknowledged data may not be safe. */
async function close(broker: ServedBroker, opening: Opening, log: Logger): Promise<number> {
  try {
    const closing = broker.close();
    closing.catch(() => {}); // awaited below, unless that takes too long
    if (!(await opening.endsSoon())) {
      log.warn(STOPPED_WHILE_OPENING);
      return 0;
    }
    await closing;
    log.info("closed");
    return 0;
  } catch (err) {
    log.error({ err }, "the data could not be closed: the next start recovers it");
    return 1;
  }
}

function hooks(log: Logger): LogStoreHooks {
  const measured = storageHooks();
  return {
    ...measured,
    failed(event) {
      const { topic, partition, error } = event;
      measured.failed(event);
      log.error({ topic, partition, err: error }, "a partition takes no more appends");
    },
    damaged({ topic, partition, error }) {
      log.error({ topic, partition, err: error }, "a partition is damaged");
    },
    warned: ({ message, ...event }) => log.warn(event, message),
  };
}

function logStart(
  log: Logger,
  config: ServerConfig,
  { address }: LogStoreServer,
  metricsUrl: string | undefined,
): void {
  const { engine, data, nats, durability = "flushed", tls, access, tracing, reflection } = config;
  log.info(
    {
      address,
      ...(engine === "files" ? { data, durability } : { engine, nats }),
      tls: tls !== undefined,
      ...(tls !== undefined && { clientCertificates: tls.clientCertificates ?? "none" }),
      access: access !== undefined,
      reflection,
      ...(metricsUrl !== undefined && { metrics: metricsUrl }),
      ...(tracing.otlpUrl !== undefined && { traces: tracing.otlpUrl }),
      version,
      node: process.version,
    },
    "listening",
  );
}

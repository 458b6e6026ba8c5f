/** Serves a LogApi over gRPC. */
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type ClusterApi, type LogApi, OWNER_ONLY_HEADER, type TopicHealthApi } from "@logstore/protocol";
import { AccessControl } from "./access/access-control.js";
import { ForwardingLog } from "./cluster/forwarding-log.js";
import { Peers } from "./cluster/peers.js";
import type { AnyCall, CallContext } from "./services/call-context.js";
import { type ErrorTranslator, errorTranslator } from "./services/error-status.js";
import { loadProto } from "./services/load-proto.js";
import { RunningCalls } from "./services/running-calls.js";
import { interceptorsOf, refusedOf, sharesOf } from "./serving/call-path.js";
import { grpcServices } from "./serving/grpc-services.js";
import type { LogStoreServer } from "./serving/log-store-server.js";
import { RunningServer } from "./serving/running-server.js";
import {
  checkExposure,
  checkServeArguments,
  checkServeOptionValues,
  type ServeOptions,
} from "./serving/serve-options.js";
import { DEFAULT_HOST, type Settings, settingsOf } from "./serving/settings.js";
import { countedErrors } from "./telemetry/counted-errors.js";
import { observedApi } from "./telemetry/observed-api.js";
import { ServerMetrics } from "./telemetry/server-metrics.js";
import { Connections } from "./transport/connections.js";
import { quotaWaitingBytes, toldLimits } from "./transport/limits.js";
import { Listener } from "./transport/listener.js";
import { TlsFiles } from "./transport/tls-files.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/**
 * Checks options, and the files that they name.
 *
 * @throws the errors that `serve` would throw for them, except those of listening
 */
export async function checkServeOptions(options: ServeOptions): Promise<void> {
  checkServeOptionValues(options);
  checkExposure(options.host ?? DEFAULT_HOST, options, () => {});
  if (options.tls) await TlsFiles.load(options.tls);
  if (options.access) await AccessControl.check(options.access);
}

/**
 * Serves a log, such as a `Broker`, over gRPC. The caller remains the owner of the log: close it
 * after the server has stopped.
 *
 * @throws InvalidArgumentError for options that are unknown, out of range or of the wrong type, or
 * that would admit other machines without protection
 * @throws the system's error (EADDRINUSE, EACCES, ENOTFOUND, …) if it cannot listen
 */
export async function serve(
  api: LogApi & Partial<TopicHealthApi> & Partial<ClusterApi>,
  options: ServeOptions = {},
): Promise<LogStoreServer> {
  checkServeArguments(api, options);
  const settings = settingsOf(options);
  checkExposure(settings.host, settings, settings.onWarning);
  const proto = loadProto();
  await nextTurn(); // loading the .proto files takes some 40 ms, and the process may have other work
  const metrics = new ServerMetrics();
  const errors = countedErrors(errorTranslator(proto, settings.onError), metrics);
  const tls = settings.tls && (await TlsFiles.load(settings.tls));
  const access = await openAccess(settings, errors);
  const connections = new Connections();
  const refused = refusedOf(settings);
  const shares = sharesOf(settings, connections, refused);
  const calls = new RunningCalls();
  const { maxBatchBytes, maxConnections } = settings;
  const own = observedApi(api, metrics);
  const peers = peersOf(api, settings);
  const forwarding =
    peers === undefined ? own : observedApi(new ForwardingLog(api, peers, settings.onWarning), metrics);
  const logFor = (call: AnyCall) => (call.metadata.get(OWNER_ONLY_HEADER).length > 0 ? own : forwarding);
  const context: CallContext = {
    ...shares,
    server: { version, limits: toldLimits(maxBatchBytes, maxConnections) },
    apiFor: access ? (call) => access.guard(logFor(call), call) : logFor,
    calls,
    errors,
    refused: refused.call,
  };
  const { Produce, ProduceStream } = proto.logService;
  const paths = { produce: Produce!.path, produceStream: ProduceStream!.path };
  const { onWarning } = settings;
  const interceptors = interceptorsOf({ connections, access, maxBatchBytes, shares, refused, onWarning, paths });
  const common = { settings, connections, metrics };
  const services = await grpcServices({ ...common, proto, topics: api, context, interceptors, refused });
  const listener = await Listener.listen({
    ...settings,
    tls,
    connections,
    refuse: (connection) => access?.refusalOf(connection),
    onConnection: services.inject,
    onRefused: refused.connection,
  });
  // Only now: a server that cannot listen must not leave listeners on the caller's log.
  services.health.begin();
  shares.receiveWindows.begin();
  const server = new RunningServer({ ...common, access, tls, listener, services, calls, shares, peers });
  metrics.observe(api, connections);
  return server;
}

function peersOf(api: Partial<ClusterApi>, { connectToBroker }: Settings): Peers | undefined {
  return connectToBroker && new Peers(connectToBroker, () => api.otherBrokers?.() ?? []);
}

async function openAccess(settings: Settings, errors: ErrorTranslator): Promise<AccessControl | undefined> {
  const { access, tls, receiveBudgetBytes, maxBatchBytes, onRefused, onWarning } = settings;
  if (!access) return undefined;
  return AccessControl.open(access, {
    encrypted: tls !== undefined,
    maxWaitingBytes: quotaWaitingBytes(receiveBudgetBytes, maxBatchBytes),
    toStatus: errors.toStatus,
    onRefused,
    onWarning,
  });
}

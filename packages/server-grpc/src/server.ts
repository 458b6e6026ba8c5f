/** A LogApi served over gRPC: what listens, what answers, and how it comes to an end. */
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  Server as GrpcServer,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { callAll, defaultBatchLimits, InvalidArgumentError, startTimer } from "@logstore/codec";
import type { LogApi, TopicHealthApi } from "@logstore/protocol";
import type { AccessConfig } from "./access/access-config.js";
import { AccessControl } from "./access/access-control.js";
import { checkExposure, checkServeArguments, checkServeOptionValues, type ServeOptions } from "./serve-options.js";
import { adminService } from "./services/admin-service.js";
import type { CallContext } from "./services/call-context.js";
import { errorTranslator } from "./services/error-status.js";
import { groupService } from "./services/group-service.js";
import { HealthService } from "./services/health-service.js";
import { loadProto } from "./services/load-proto.js";
import { logService } from "./services/log-service.js";
import { ReflectionService } from "./services/reflection-service.js";
import { RunningCalls } from "./services/running-calls.js";
import { countedErrors } from "./telemetry/counted-errors.js";
import { measuredService } from "./telemetry/measured-service.js";
import { observedApi } from "./telemetry/observed-api.js";
import { ServerMetrics } from "./telemetry/server-metrics.js";
import { SharedBudget } from "./transport/budget.js";
import type { CallRefused } from "./transport/call-refused.js";
import { http2ServersOf } from "./transport/http2-servers.js";
import {
  APPENDS_ALONE_MS,
  channelOptions,
  maxRequestBytes,
  quotaWaitingBytes,
  RECEIVE_BUDGET_BYTES,
  RECEIVE_TURN_BYTES,
  RECEIVE_WINDOW_BYTES,
  REQUEST_TIMEOUT_MS,
  SEND_BUDGET_BYTES,
  SHARED_RECEIVE_WINDOW_BYTES,
  toldLimits,
  unfinishedLimits,
} from "./transport/limits.js";
import { Listener } from "./transport/listener.js";
import { limitMessages } from "./transport/message-limits.js";
import { noDecompression } from "./transport/no-decompression.js";
import { paceStreams } from "./transport/paced-streams.js";
import { readWithRoom } from "./transport/read-with-room.js";
import { ReceiveTurns } from "./transport/receive-turns.js";
import { ReceiveWindows } from "./transport/receive-window.js";
import { Sending } from "./transport/sending.js";
import { tellSessionErrors } from "./transport/session-errors.js";
import { TlsFiles } from "./transport/tls-files.js";
import { Turns } from "./transport/turns.js";
import { boundUnfinished } from "./transport/unfinished-messages.js";
import { wholeRequests } from "./transport/whole-requests.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

const OUR_SERVICES = ["logstore.v1.LogService", "logstore.v1.AdminService", "logstore.v1.ConsumerGroupService"];

/** A running server. */
export interface LogStoreServer extends AsyncDisposable {
  /** Where it listens: "127.0.0.1:7411". */
  readonly address: string;
  /**
   * Other rules, tokens and quotas, at once and for calls under way too: those that may not go on
   * end.
   *
   * @throws InvalidArgumentError where it makes no sense, or the server was started without access
   * control; nothing changes then
   */
  updateAccess(config: AccessConfig): Promise<void>;
  /**
   * Reads the files of `tls` again now; they are watched anyhow. Connections that there are go on,
   * but for those with client certificates where the CAs changed.
   *
   * @throws InvalidArgumentError where they do not fit together; what was in force before stays so
   */
  reloadCertificates(): Promise<void>;
  /**
   * Stops: refuses new calls, acknowledges the appends that it has received, ends every stream with
   * UNAVAILABLE so that clients connect again, and resolves when all connections are closed. Never
   * rejects; calling it again waits for the same stop.
   */
  stop(): Promise<void>;
}

/**
 * Reads what the options name, and lets go of it again. @throws what `serve` would throw for them,
 * but for what listening does
 */
export async function checkServeOptions(options: ServeOptions): Promise<void> {
  checkServeOptionValues(options);
  checkExposure(options.host ?? "127.0.0.1", options, () => {});
  if (options.tls) await TlsFiles.load(options.tls);
  if (options.access) await AccessControl.check(options.access);
}

/**
 * Serves `api`, which stays the caller's: close it after the server has stopped.
 *
 * @throws InvalidArgumentError for options that are unknown, out of range or of another type, or
 * that would let strangers in
 * @throws the system's error (EADDRINUSE, EACCES, ENOTFOUND, …) where it cannot listen
 */
export async function serve(
  api: LogApi & Partial<TopicHealthApi>,
  options: ServeOptions = {},
): Promise<LogStoreServer> {
  checkServeArguments(api, options);
  const {
    host = "127.0.0.1",
    port = 7411,
    maxBatchBytes = defaultBatchLimits.maxBatchBytes,
    sendBudgetBytes = SEND_BUDGET_BYTES,
    receiveBudgetBytes = RECEIVE_BUDGET_BYTES,
    stalledStreamTimeoutMs = 60_000,
    drainTimeoutMs = 10_000,
    reflection = true,
    // biome-ignore lint/suspicious/noConsole: whoever gives no hook still wants to see a defect.
    onError = console.error,
    // biome-ignore lint/suspicious/noConsole: the same.
    onWarning = (message) => console.warn(message),
    onRefused = () => {},
  } = options;
  checkExposure(host, options, onWarning);
  const proto = loadProto();
  await nextTurn(); // what is loaded once takes long, and the process may have more to do
  const calls = new RunningCalls();
  const metrics = new ServerMetrics();
  const observed = observedApi(api, metrics);
  const errors = countedErrors(errorTranslator(proto, onError), metrics);
  const tls = options.tls && (await TlsFiles.load(options.tls));
  const access =
    options.access &&
    (await AccessControl.open(options.access, {
      encrypted: tls !== undefined,
      maxWaitingBytes: quotaWaitingBytes(receiveBudgetBytes, maxBatchBytes),
      toStatus: errors.toStatus,
      onRefused,
      onWarning,
    }));
  const callRefused: CallRefused = (peer, method, reason) => onRefused({ refused: "call", peer, method, reason });
  const sending = new Sending({
    budgetBytes: sendBudgetBytes,
    stalledTimeoutMs: stalledStreamTimeoutMs,
    connectionOf({ socket }) {
      const connection = listener.connectionOf(socket);
      if (connection === undefined) return undefined;
      const refuse = () => {
        connectionRefused(connection.peer, "it did not take what was sent for calls that have ended");
        connection.destroy();
      };
      return { onClose: (closed) => connection.onClose(closed), refuse };
    },
  });
  const unacked = new SharedBudget(receiveBudgetBytes);
  const receiveTurns = new ReceiveTurns(RECEIVE_TURN_BYTES);
  const receiveWindows = new ReceiveWindows({
    windowBytes: RECEIVE_WINDOW_BYTES,
    sharedWindowBytes: SHARED_RECEIVE_WINDOW_BYTES,
    aloneMs: APPENDS_ALONE_MS,
    isOurs: ({ socket }) => listener.connectionOf(socket) !== undefined,
  });
  const context: CallContext = {
    server: { version, limits: toldLimits(maxBatchBytes, options.maxConnections) },
    apiFor: access ? (call) => access.guard(observed, call) : () => observed,
    calls,
    sending,
    unacked,
    receiveTurns,
    receiveWindows,
    turns: new Turns(),
    errors,
    refused: callRefused,
  };
  const admit: ServerInterceptor = (method, call) => {
    const connection = listener.connectionOf(call.getConnectionInfo());
    if (access) return access.intercept(method, call, connection);
    connection?.used();
    return call as ServerInterceptingCall;
  };
  // Whoever calls is known before anything else of the call is looked at.
  const interceptors = [
    admit,
    noDecompression,
    limitMessages(maxRequestBytes),
    boundUnfinished(unfinishedLimits(maxBatchBytes), callRefused),
    wholeRequests(REQUEST_TIMEOUT_MS, callRefused),
    readWithRoom(proto.logService["Produce"]!.path, unacked, receiveTurns),
  ];
  const grpc = new GrpcServer({ ...channelOptions(maxBatchBytes), interceptors });
  const add = (name: string, definition: ServiceDefinition, handlers: UntypedServiceImplementation) =>
    grpc.addService(definition, measuredService(name, handlers, metrics));
  add("logstore.v1.LogService", proto.logService, logService(context, proto.encodeListOffsets));
  add("logstore.v1.AdminService", proto.adminService, adminService(context, proto.admin));
  add("logstore.v1.ConsumerGroupService", proto.groupService, groupService(context, proto.group));
  const health = new HealthService(api, context, OUR_SERVICES);
  add("grpc.health.v1.Health", proto.healthService, health.handlers);
  await nextTurn();
  const reflections = reflection ? new ReflectionService(proto.definition, grpc) : undefined;
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const connectionRefused = (peer: string, reason: string) => onRefused({ refused: "connection", peer, reason });
  const missing = () =>
    onWarning(
      "this release of @grpc/grpc-js does not expose its HTTP/2 servers: calls that come at once begin at once, " +
        "and connections that break HTTP/2 are not reported to onRefused. Use the release that this package asks for",
    );
  for (const server of http2ServersOf(grpc, missing)) {
    paceStreams(server);
    tellSessionErrors(server, (socket) => listener.connectionOf(socket), connectionRefused);
  }
  const listener = await Listener.listen({
    host,
    port,
    tls,
    maxConnections: options.maxConnections,
    maxConnectionsPerAddress: options.maxConnectionsPerAddress,
    refuse: (connection) => access?.refusalOf(connection),
    onConnection: (socket) => injector.injectConnection(socket),
    onRefused: connectionRefused,
  });
  const { address } = listener;
  // Only now: a server that cannot listen leaves nothing with the log, which is not its own.
  health.begin();
  receiveWindows.begin();

  const reloadCertificates = async () => {
    const renewed = await tls?.reload();
    if (!renewed) return;
    listener.renewTls(renewed.material);
    if (renewed.newClientCa) listener.destroyCertified();
  };
  const couldNotRenew = (error: unknown) =>
    onWarning(`the certificates could not be renewed, those before stay in force: ${(error as Error).message}`, error);
  tls?.watch(() => void reloadCertificates().catch(couldNotRenew), couldNotRenew);

  metrics.observe(api, listener);

  const stop = async () => {
    const closed = listener.close();
    const timeUp = Promise.withResolvers<void>();
    const timer = startTimer(drainTimeoutMs, () => {
      timeUp.resolve();
      grpc.forceShutdown();
      listener.destroyConnections();
    });
    // Connections are told to go only when the calls are over: until then, a new call gets a clear
    // answer.
    const drained = calls.stop().finally(() => {
      callAll([() => health.end(), () => reflections?.end(), () => grpc.tryShutdown(() => {})]);
    });
    try {
      callAll([() => health.stopping(), () => tls?.close()]);
    } finally {
      const isOver = Promise.race([drained, timeUp.promise]).finally(() => closed);
      await isOver.finally(() => {
        timer.cancel();
        callAll([() => receiveWindows.close(), () => metrics.stop(), () => sending.close()]);
      });
    }
  };
  let stopped: Promise<void> | undefined;
  const stopOnce = () => {
    stopped ??= stop();
    return stopped;
  };
  return {
    address,
    updateAccess: async (config) => {
      if (!access) throw new InvalidArgumentError("the server was started without access control: start it with some");
      await access.update(config);
    },
    reloadCertificates,
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}

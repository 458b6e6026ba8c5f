/** A LogApi served over gRPC: what listens, what answers, and how it comes to an end. */
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { defaultBatchLimits } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { adminService } from "./services/admin-service.js";
import type { CallContext } from "./services/call-context.js";
import { errorTranslator } from "./services/error-status.js";
import { groupService } from "./services/group-service.js";
import { loadProto } from "./services/load-proto.js";
import { logService } from "./services/log-service.js";
import { RunningCalls } from "./services/running-calls.js";
import { channelOptions, RECEIVE_WINDOW_BYTES } from "./transport/limits.js";
import { Listener } from "./transport/listener.js";
import { raiseReceiveWindows } from "./transport/receive-window.js";

export interface ServeOptions {
  /** Name or address to listen on. Default "127.0.0.1": this machine only, since nothing is encrypted or asked for a password. */
  readonly host?: string;
  /** 0 takes a free one. Default 7411. */
  readonly port?: number;
  /** Largest `batches` of a request, bytes; larger messages are refused unread. Default 16 MiB. */
  readonly maxBatchBytes?: number;
  /** How long {@link LogStoreServer.stop} waits for calls under way before it cuts them off, ms. Default 10,000. */
  readonly drainTimeoutMs?: number;
  /** Gets the errors that peers only see as "internal error". Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
}

export interface LogStoreServer extends AsyncDisposable {
  /** Where it listens: "127.0.0.1:7411". */
  readonly address: string;
  /**
   * Stops: refuses new calls, acknowledges the appends that it has received, ends every stream with UNAVAILABLE so that clients
   * connect again, and resolves when all connections are closed. Never rejects; calling it again waits for the same stop.
   */
  stop(): Promise<void>;
}

/**
 * Serves `api`, which stays the caller's: close it after the server has stopped.
 *
 * @throws the system's error (EADDRINUSE, EACCES, ENOTFOUND, …) where it cannot listen
 */
export async function serve(api: LogApi, options: ServeOptions = {}): Promise<LogStoreServer> {
  const {
    host = "127.0.0.1",
    port = 7411,
    maxBatchBytes = defaultBatchLimits.maxBatchBytes,
    drainTimeoutMs = 10_000,
    // biome-ignore lint/suspicious/noConsole: whoever gives no hook still wants to see a defect.
    onError = console.error,
  } = options;
  const proto = loadProto();
  const calls = new RunningCalls();
  const context: CallContext = { apiFor: () => api, calls, errors: errorTranslator(proto, onError) };
  const grpc = new GrpcServer(channelOptions(maxBatchBytes));
  grpc.addService(proto.logService, logService(context));
  grpc.addService(proto.adminService, adminService(context));
  grpc.addService(proto.groupService, groupService(context));
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = await Listener.listen(host, port, (socket) => injector.injectConnection(socket));
  const { address } = listener;
  const leaveWindows = raiseReceiveWindows(RECEIVE_WINDOW_BYTES, ({ socket }) => listener.accepted(socket));

  const stop = async () => {
    const closed = listener.close();
    const timeUp = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      timeUp.resolve();
      grpc.forceShutdown();
      listener.destroyConnections();
    }, drainTimeoutMs);
    // Connections are told to go only when the calls are over: until then, a new call gets a clear answer.
    const drained = calls.stop().then(() => grpc.tryShutdown(() => {}));
    await Promise.race([drained, timeUp.promise]);
    await closed;
    clearTimeout(timer);
    leaveWindows();
  };
  let stopped: Promise<void> | undefined;
  const stopOnce = () => {
    stopped ??= stop();
    return stopped;
  };
  return { address, stop: stopOnce, [Symbol.asyncDispose]: stopOnce };
}

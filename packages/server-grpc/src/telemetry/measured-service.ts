/** Measures the calls of a service: their number, duration and status, and those that are open. */
import type { EventEmitter } from "node:events";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerErrorResponse,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { AnyCall } from "../services/call-context.js";
import type { ServerMetrics } from "./server-metrics.js";

type Unary = handleUnaryCall<unknown, unknown>;
type Streaming = handleServerStreamingCall<unknown, unknown>;

/** @param name "logstore.v1.LogService" */
export function measuredService(
  name: string,
  service: UntypedServiceImplementation,
  metrics: ServerMetrics,
): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(service).map(([method, handler]) => {
      const path = `${name}/${method}`;
      const measured = (call: AnyCall, respond?: Parameters<Unary>[1]) => {
        const start = performance.now();
        if (respond === undefined) {
          measureStream(call, metrics, path, start);
          (handler as Streaming)(call as Parameters<Streaming>[0]);
          return;
        }
        const measuredRespond: typeof respond = (error, ...rest) => {
          const code = call.cancelled ? status.CANCELLED : codeOf(error);
          metrics.called(path, status[code], performance.now() - start);
          respond(error, ...rest);
        };
        (handler as Unary)(call as Parameters<Unary>[0], measuredRespond);
      };
      return [method, measured];
    }),
  );
}

function measureStream(call: EventEmitter, metrics: ServerMetrics, path: string, start: number): void {
  let ended = false;
  metrics.streamOpened(path);
  const end = (code: status) => {
    if (ended) return;
    ended = true;
    metrics.streamClosed(path);
    metrics.called(path, status[code], performance.now() - start);
  };
  call.once("error", (error) => end(codeOf(error)));
  call.once("cancelled", () => end(status.CANCELLED));
  call.once("finish", () => end(status.OK));
}

function codeOf(error: ServerErrorResponse | Partial<{ code: number }> | null): status {
  return error === null ? status.OK : ((error.code as status | undefined) ?? status.UNKNOWN);
}

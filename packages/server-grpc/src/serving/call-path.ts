/**
 * The interceptors that calls pass on their way to a handler, and the budgets shared by all calls.
 */
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import type { AccessControl } from "../access/access-control.js";
import { SharedBudget } from "../transport/budget.js";
import { watchCallInternals } from "../transport/call-internals.js";
import type { CallRefused } from "../transport/call-refused.js";
import type { Connections } from "../transport/connections.js";
import {
  APPENDS_ALONE_MS,
  maxRequestBytes,
  RECEIVE_TURN_BYTES,
  RECEIVE_WINDOW_BYTES,
  REQUEST_TIMEOUT_MS,
  SHARED_RECEIVE_WINDOW_BYTES,
  unfinishedLimits,
} from "../transport/limits.js";
import { limitMessages } from "../transport/message-limits.js";
import { noDecompression } from "../transport/no-decompression.js";
import { readWithRoom } from "../transport/read-with-room.js";
import { receiveRequestsInPlace } from "../transport/receive-in-place.js";
import { ReceiveTurns } from "../transport/receive-turns.js";
import { ReceiveWindows } from "../transport/receive-window.js";
import { Sending } from "../transport/sending.js";
import { Turns } from "../transport/turns.js";
import { boundUnfinished } from "../transport/unfinished-messages.js";
import { wholeRequests } from "../transport/whole-requests.js";
import type { Settings } from "./settings.js";

export interface Refused {
  readonly call: CallRefused;
  readonly connection: (peer: string, reason: string) => void;
}

export function refusedOf({ onRefused }: Settings): Refused {
  return {
    call: (peer, method, reason) => onRefused({ refused: "call", peer, method, reason }),
    connection: (peer, reason) => onRefused({ refused: "connection", peer, reason }),
  };
}

/** Budgets, windows and turns of one server. */
export interface Shares {
  readonly sending: Sending;
  readonly unacked: SharedBudget;
  readonly receiveTurns: ReceiveTurns;
  readonly receiveWindows: ReceiveWindows;
  readonly turns: Turns;
}

export function sharesOf(settings: Settings, connections: Connections, refused: Refused): Shares {
  return {
    sending: new Sending({
      budgetBytes: settings.sendBudgetBytes,
      stalledTimeoutMs: settings.stalledStreamTimeoutMs,
      connectionOf({ socket }) {
        const connection = connections.of(socket);
        if (connection === undefined) return undefined;
        const refuse = () => {
          refused.connection(connection.peer, "it did not read the data of calls that have ended");
          connection.destroy();
        };
        return { onClose: (closed) => connection.onClose(closed), refuse };
      },
    }),
    unacked: new SharedBudget(settings.receiveBudgetBytes),
    receiveTurns: new ReceiveTurns(RECEIVE_TURN_BYTES),
    receiveWindows: new ReceiveWindows({
      windowBytes: RECEIVE_WINDOW_BYTES,
      sharedWindowBytes: SHARED_RECEIVE_WINDOW_BYTES,
      aloneMs: APPENDS_ALONE_MS,
      isOurs: ({ socket }) => connections.of(socket) !== undefined,
    }),
    turns: new Turns(),
  };
}

interface InterceptorOptions {
  readonly connections: Connections;
  readonly access: AccessControl | undefined;
  readonly maxBatchBytes: number;
  readonly shares: Shares;
  readonly refused: Refused;
  readonly onWarning: (message: string) => void;
  /** Of the methods that append. */
  readonly paths: { readonly produce: string; readonly produceStream: string };
}

const MISSING_INTERNALS =
  "this release of @grpc/grpc-js does not expose the internals of its calls: messages are copied once more, compressed " +
  "messages are accepted, and incomplete messages are limited only by their own length. " +
  "Use the release that this package requires";

/** In order: the caller is authenticated before anything else of a call is processed. */
export function interceptorsOf(options: InterceptorOptions): ServerInterceptor[] {
  const { maxBatchBytes, refused, shares, onWarning, paths } = options;
  return [
    admission(options),
    watchCallInternals(() => onWarning(MISSING_INTERNALS)),
    noDecompression,
    limitMessages(maxRequestBytes),
    receiveRequestsInPlace(paths.produceStream),
    boundUnfinished(unfinishedLimits(maxBatchBytes), refused.call),
    wholeRequests(REQUEST_TIMEOUT_MS, refused.call),
    readWithRoom(paths.produce, shares.unacked, shares.receiveTurns),
  ];
}

function admission({ connections, access }: InterceptorOptions): ServerInterceptor {
  return (method, call) => {
    const connection = connections.of(call.getConnectionInfo());
    if (access) return access.intercept(method, call, connection);
    connection?.used();
    return call as ServerInterceptingCall;
  };
}

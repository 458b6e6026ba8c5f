import {
  InterceptingCall,
  type InterceptingListener,
  type Interceptor,
  type Metadata,
  type StatusObject,
  status,
} from "@grpc/grpc-js";

/**
 * An answer that is not gRPC comes from something between here and the server: a proxy's page, a
 * captive portal. gRPC would take its text for messages. Its body is passed over, and the call ends
 * with UNAVAILABLE, or with the HTTP status where that says more.
 */
export const onlyGrpc: Interceptor = (options, nextCall) => new GrpcOnlyCall(nextCall(options));

class GrpcOnlyCall extends InterceptingCall {
  override start(metadata: Metadata, listener: Partial<InterceptingListener> = {}): void {
    let foreign: string | undefined;
    super.start(metadata, {
      onReceiveMetadata: (received: Metadata) => {
        foreign = foreignType(received);
        listener.onReceiveMetadata?.(received);
      },
      onReceiveMessage: (message: unknown) => {
        if (foreign === undefined) listener.onReceiveMessage?.(message);
        else super.startRead();
      },
      onReceiveStatus: (result: StatusObject) => {
        const isTold = foreign === undefined || httpStatusOf(result.details) !== undefined;
        const details = `the answer is ${foreign}, not gRPC`;
        listener.onReceiveStatus?.(isTold ? result : { ...result, code: status.UNAVAILABLE, details });
      },
    });
  }
}

function foreignType(metadata: Metadata): string | undefined {
  const [type] = metadata.get("content-type");
  return type === undefined || String(type).startsWith("application/grpc") ? undefined : String(type);
}

/** The HTTP status of an answer without a gRPC status: this is grpc-js's text for it. */
export function httpStatusOf(details: string): number | undefined {
  const [, code] = /^Received HTTP status code (\d{3})$/.exec(details) ?? [];
  return code === undefined ? undefined : Number(code);
}

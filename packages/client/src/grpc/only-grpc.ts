import {
  InterceptingCall,
  type InterceptingListener,
  type Interceptor,
  type Metadata,
  type StatusObject,
  status,
} from "@grpc/grpc-js";

/**
 * Recognizes responses that are not gRPC, such as a proxy's error page or a captive portal, whose
 * text grpc-js would parse as messages. The body is skipped, and the call fails with UNAVAILABLE,
 * or with the HTTP status if that says more.
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

/** The HTTP status of a response without a gRPC status, from grpc-js's text for it. */
export function httpStatusOf(details: string): number | undefined {
  const [, code] = /^Received HTTP status code (\d{3})$/.exec(details) ?? [];
  return code === undefined ? undefined : Number(code);
}

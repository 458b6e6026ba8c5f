import type { Client, Metadata, ServiceError } from "@grpc/grpc-js";
import type { Method } from "./load-proto.js";

/**
 * Makes one unary call, without retries.
 *
 * @param deadline ms since the epoch
 * @param signals abort the call; each may be undefined
 * @throws ServiceError
 */
export function unaryCall(
  client: Client,
  { path, requestSerialize, responseDeserialize }: Method,
  request: object,
  headers: Metadata,
  deadline: number,
  signals: readonly (AbortSignal | undefined)[],
): Promise<object> {
  return new Promise((resolve, reject) => {
    const answer = (error: ServiceError | null, response?: object) => {
      for (const signal of signals) signal?.removeEventListener("abort", cancel);
      if (error) reject(error);
      else resolve(response!);
    };
    const options = { deadline };
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      headers,
      options,
      answer,
    );
    const cancel = () => call.cancel();
    for (const signal of signals) signal?.addEventListener("abort", cancel);
    if (signals.some((signal) => signal?.aborted)) cancel();
  });
}

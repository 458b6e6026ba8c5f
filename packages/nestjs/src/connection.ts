import { type ConnectOptions, connect, type LogClient } from "@logstore/client";

/** The log to use: an address with the options of `connect`, or an existing client. */
export type ConnectionOptions =
  | { readonly address: string; readonly connect?: ConnectOptions | undefined; readonly client?: undefined }
  | { readonly client: LogClient; readonly address?: undefined; readonly connect?: undefined };

/** Returns the client, and whether it was opened here, so that the caller must close it. */
export function openClient(options: ConnectionOptions): { readonly client: LogClient; readonly isOwn: boolean } {
  if (options.client !== undefined) return { client: options.client, isOwn: false };
  return { client: connect(options.address, options.connect), isOwn: true };
}

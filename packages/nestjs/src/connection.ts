import { type ConnectOptions, connect, type LogClient } from "@logstore/client";

/** Where the log is: an address, with the options of `connect`, or a client that exists already. */
export type ConnectionOptions =
  | { readonly address: string; readonly connect?: ConnectOptions | undefined; readonly client?: undefined }
  | { readonly client: LogClient; readonly address?: undefined; readonly connect?: undefined };

/** The client, and whether it is to be closed by whoever opened it here. */
export function openClient(options: ConnectionOptions): { readonly client: LogClient; readonly isOwn: boolean } {
  if (options.client !== undefined) return { client: options.client, isOwn: false };
  return { client: connect(options.address, options.connect), isOwn: true };
}

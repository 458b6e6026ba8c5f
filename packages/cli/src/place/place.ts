/** Where a command finds the log: a server, or a data directory. */

export type Place = ServerPlace | DirectoryPlace;

export interface ServerPlace {
  readonly kind: "server";
  /** Addresses of servers of the same log; the first one that answers is used. */
  readonly seeds: readonly string[];
  /** Undefined: without TLS. */
  readonly tls?: TlsSettings | undefined;
  readonly token?: TokenSource | undefined;
  /** Where the address was given, for error messages: "--server", "profile prod". */
  readonly origin: string;
}

/** A data directory or log store, opened read-only, while another process may be writing to it. */
export interface DirectoryPlace {
  readonly kind: "directory";
  readonly directory: string;
  readonly origin: string;
}

/** PEM files. Default for each: Node's own. */
export interface TlsSettings {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export type TokenSource = { readonly token: string } | { readonly tokenFile: string };

/** The name of the place in tables and messages. */
export function placeName(place: Place): string {
  return place.kind === "server" ? place.seeds.join(",") : place.directory;
}

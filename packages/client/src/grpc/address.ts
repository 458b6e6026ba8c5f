import { isIPv6 } from "node:net";
import { InvalidArgumentError, shown } from "@logstore/codec";

const DEFAULT_PORT = 7411;

/** The address of a server as a gRPC target. */
export interface Address {
  readonly target: string;
  /** Whether the server is on this machine, so that no proxy is used. */
  readonly isLoopback: boolean;
}

/**
 * Parses one address or several.
 *
 * @throws InvalidArgumentError that says what is wrong
 */
export function parseAddresses(addresses: string | readonly string[]): Address[] {
  if (!Array.isArray(addresses)) return [parseAddress(addresses as string)];
  if (addresses.length > 0) return addresses.map(parseAddress);
  throw new InvalidArgumentError("connect: the list of addresses is empty: give at least one");
}

/**
 * Parses `host:port`, or a host with the default port 7411. An IPv6 address with a port stands in
 * brackets. gRPC targets with a scheme (`dns:`, `unix:`, `ipv4:`, `ipv6:`) are accepted as they
 * are.
 *
 * @throws InvalidArgumentError that says what is wrong
 */
export function parseAddress(address: string): Address {
  if (typeof address !== "string" || address === "") throw wrong(address, "it must be a string of the form host:port");
  if (/^(dns|unix|unix-abstract|ipv4|ipv6):/.test(address)) return { target: address, isLoopback: false };
  const url = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(address);
  if (url !== null) {
    const tls = /s$/i.test(url[1]!) ? " and { tls: true }" : "";
    throw wrong(address, `it must not be a URL: give ${JSON.stringify(url[2])}${tls}`);
  }
  const [, v6 = "", v6Port] = /^\[(.*)\](?::(.*))?$/.exec(address) ?? [];
  if (isIPv6(v6)) return { target: `[${v6}]:${portOf(address, v6Port)}`, isLoopback: v6 === "::1" };
  const colons = address.split(":").length - 1;
  if (colons > 1) {
    if (!isIPv6(address)) throw wrong(address, "it must be of the form host:port");
    return { target: `[${address}]:${DEFAULT_PORT}`, isLoopback: address === "::1" };
  }
  const [host = "", port] = address.split(":");
  if (!/^[\w.-]+$/.test(host)) throw wrong(address, "it must be of the form host:port");
  const isLoopback = host === "localhost" || host.endsWith(".localhost") || /^127(\.\d+){3}$/.test(host);
  return { target: `${host}:${portOf(address, port)}`, isLoopback };
}

function portOf(address: string, port: string | undefined): number {
  if (port === undefined) return DEFAULT_PORT;
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw wrong(address, "its port must be a number from 1 to 65535");
}

function wrong(address: unknown, why: string): InvalidArgumentError {
  return new InvalidArgumentError(`${shown(address)} is not the address of a server: ${why}`);
}

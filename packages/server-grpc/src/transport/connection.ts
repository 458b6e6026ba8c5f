/** An open connection. */

import type { Socket } from "node:net";
import type { PeerCertificate } from "node:tls";
import { startTimer, type Timer } from "@logstore/codec";

export class Connection {
  /** "10.0.0.7:51234" */
  readonly peer: string;
  /** "10.0.0.7" */
  readonly address: string;
  /** The client's verified certificate, if it presented one. */
  readonly certificate: PeerCertificate | undefined;
  /** Whether the connection's refusal and its reason were reported already. */
  isRefused = false;
  /** Whether a call was accepted on it that needs credentials. */
  isKnown = false;
  readonly #socket: Socket;
  readonly #firstCall: Timer;

  /** @param onUnused called if no call was accepted on it within `maxUnusedMs` */
  constructor(socket: Socket, certificate: PeerCertificate | undefined, maxUnusedMs: number, onUnused: () => void) {
    this.peer = peerOf(socket);
    this.address = socket.remoteAddress ?? "";
    this.certificate = certificate;
    this.#socket = socket;
    this.#firstCall = startTimer(maxUnusedMs, onUnused, { keepsAlive: false });
    socket.once("close", () => this.#firstCall.cancel());
  }

  /** A call was accepted: from now on the connection may be idle. */
  used(): void {
    this.#firstCall.cancel();
  }

  /** Calls `closed` when the connection is closed; synchronously if it is already. */
  onClose(closed: () => void): void {
    if (this.#socket.destroyed) closed();
    else this.#socket.once("close", closed);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** "10.0.0.7:51234", "[::1]:51234" */
export function peerOf({ remoteAddress, remotePort }: RemoteEnd): string {
  if (remoteAddress === undefined) return "a peer that is gone";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

interface RemoteEnd {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

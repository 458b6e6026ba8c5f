/** A listening server: its reconfiguration and its stop. */
import { callAll, InvalidArgumentError, startTimer } from "@logstore/codec";
import type { AccessConfig } from "../access/access-config.js";
import type { AccessControl } from "../access/access-control.js";
import type { Peers } from "../cluster/peers.js";
import type { RunningCalls } from "../services/running-calls.js";
import type { ServerMetrics } from "../telemetry/server-metrics.js";
import type { Connections } from "../transport/connections.js";
import type { Listener } from "../transport/listener.js";
import type { TlsFiles } from "../transport/tls-files.js";
import type { Shares } from "./call-path.js";
import type { GrpcServices } from "./grpc-services.js";
import type { LogStoreServer } from "./log-store-server.js";
import type { Settings } from "./settings.js";

export interface ServerParts {
  readonly settings: Settings;
  readonly access: AccessControl | undefined;
  readonly tls: TlsFiles | undefined;
  readonly connections: Connections;
  readonly listener: Listener;
  readonly services: GrpcServices;
  readonly calls: RunningCalls;
  readonly shares: Shares;
  readonly metrics: ServerMetrics;
  /** Undefined: calls are not passed on to other brokers. */
  readonly peers: Peers | undefined;
}

export class RunningServer implements LogStoreServer {
  readonly address: string;
  readonly #parts: ServerParts;
  #stopped: Promise<void> | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.address = parts.listener.address;
    this.#watchCertificates();
  }

  async updateAccess(config: AccessConfig): Promise<void> {
    const { access } = this.#parts;
    if (!access)
      throw new InvalidArgumentError("the server was started without access control: restart it with access control");
    await access.update(config);
  }

  async reloadCertificates(): Promise<void> {
    const { tls, listener, connections } = this.#parts;
    const renewed = await tls?.reload();
    if (!renewed) return;
    listener.renewTls(renewed.material);
    if (renewed.newClientCa) connections.destroyCertified();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #watchCertificates(): void {
    const { tls, settings } = this.#parts;
    const failed = (error: unknown) => {
      const { message } = error as Error;
      settings.onWarning(
        `the certificates could not be reloaded, and the previous ones stay in force: ${message}`,
        error,
      );
    };
    tls?.watch(() => void this.reloadCertificates().catch(failed), failed);
  }

  async #stop(): Promise<void> {
    const { settings, tls, listener, services, shares, metrics, peers } = this.#parts;
    const closed = listener.close();
    const timeUp = Promise.withResolvers<void>();
    const timer = startTimer(settings.drainTimeoutMs, () => {
      timeUp.resolve();
      services.grpc.forceShutdown();
      listener.destroyConnections();
    });
    const drained = this.#drain();
    try {
      callAll([() => services.health.stopping(), () => tls?.close()]);
    } finally {
      const isOver = Promise.race([drained, timeUp.promise]).finally(() => closed);
      await isOver.finally(() => {
        timer.cancel();
        callAll([
          () => shares.receiveWindows.close(),
          () => metrics.stop(),
          () => shares.sending.close(),
          () => peers?.close(),
        ]);
      });
    }
  }

  /**
   * Peers are asked to disconnect only after the last call: until then a new call is refused with a
   * reason.
   */
  #drain(): Promise<void> {
    const { grpc, health, reflection } = this.#parts.services;
    return this.#parts.calls.stop().finally(() => {
      callAll([() => health.end(), () => reflection?.end(), () => grpc.tryShutdown(() => {})]);
    });
  }
}

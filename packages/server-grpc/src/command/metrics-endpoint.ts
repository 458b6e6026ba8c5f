/**
 * The endpoint that Prometheus scrapes. The socket is ours, because the exporter would not report
 * why it cannot listen, and does not support port 0.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";

export interface MetricsEndpoint {
  readonly reader: PrometheusExporter;
  readonly url: string;
  close(): Promise<void>;
}

/** @throws the system's error if it cannot listen */
export async function serveMetrics(host: string, port: number): Promise<MetricsEndpoint> {
  const reader = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
  const server = createServer((request, response) => {
    if (request.method === "GET" && request.url?.split("?")[0] === "/metrics") {
      reader.getMetricsRequestHandler(request, response);
    } else {
      response.writeHead(404).end("the metrics are at /metrics\n");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.unref();
  const { address, family, port: taken } = server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${taken}/metrics`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { reader, url, close };
}

/**
 * Sets up the OpenTelemetry SDK according to the configuration; parts that are not configured are
 * not loaded.
 */
import { context, DiagLogLevel, diag, metrics, propagation, trace } from "@opentelemetry/api";
import type { ServerConfig } from "./config-schema.js";
import type { Log } from "./log.js";

export interface Telemetry {
  /** "http://127.0.0.1:9464/metrics", if metrics are enabled. */
  readonly metricsUrl: string | undefined;
  /** Exports what is pending, and stops. Never rejects. */
  stop(): Promise<void>;
}

/**
 * Called before any other code gets a meter from the API.
 *
 * @throws the system's error if it cannot listen
 */
export async function startTelemetry(config: ServerConfig, version: string, logged: Log): Promise<Telemetry> {
  const { log } = logged;
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0)) await each().catch((err) => log.warn({ err }, "telemetry was not sent"));
  };
  const warn = (message: string, ...details: unknown[]) => log.warn({ details: details.map(String) }, message);
  diag.setLogger(
    { error: warn, warn, info() {}, debug() {}, verbose() {} },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const { port } = config.metrics;
  const metricsUrl =
    port === undefined ? undefined : await startMetrics({ ...config.metrics, port }, version, logged, stops);
  const { otlpUrl } = config.tracing;
  if (otlpUrl !== undefined) await startTracing(otlpUrl, version, stops);
  return { metricsUrl, stop };
}

async function resource(version: string) {
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  return resourceFromAttributes({ "service.name": "logstore", "service.version": version });
}

async function startMetrics(
  { host, port }: { host: string; port: number },
  version: string,
  logged: Log,
  stops: (() => Promise<void>)[],
): Promise<string> {
  const [{ MeterProvider }, { serveMetrics }, { observeLog, observeProcess }] = await Promise.all([
    import("@opentelemetry/sdk-metrics"),
    import("./metrics-endpoint.js"),
    import("../telemetry/process-metrics.js"),
  ]);
  const endpoint = await serveMetrics(host, port);
  const provider = new MeterProvider({ resource: await resource(version), readers: [endpoint.reader] });
  metrics.setGlobalMeterProvider(provider);
  observeProcess();
  observeLog(logged);
  stops.push(async () => {
    metrics.disable();
    try {
      await endpoint.close();
    } finally {
      await provider.shutdown();
    }
  });
  return endpoint.url;
}

async function startTracing(url: string, version: string, stops: (() => Promise<void>)[]): Promise<void> {
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, { AsyncLocalStorageContextManager }, core] =
    await Promise.all([
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/context-async-hooks"),
      import("@opentelemetry/core"),
    ]);
  const exporter = new OTLPTraceExporter({ url });
  const spanProcessors = [new BatchSpanProcessor({ exporter })];
  const provider = new TracerProvider({ resource: await resource(version), spanProcessors });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  stops.push(async () => {
    trace.disable();
    context.disable();
    propagation.disable();
    await provider.shutdown();
  });
}

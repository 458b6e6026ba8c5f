/** The schema of the configuration, whether it is given in a file, by variables or by flags. */
import * as z from "zod";
import { operations } from "../access/operations.js";

const MAX = Number.MAX_SAFE_INTEGER;
const whole = (least: number, most: number = MAX) => z.int().min(least).max(most);
const text = () => z.string().min(1);
const texts = () => z.array(text()).min(1);
/** A smaller segment, perhaps by mistake of the unit, would create an excessive number of files. */
const MIN_SEGMENT_BYTES = 64 * 1024;
const rate = () => z.number().positive().max(MAX);

const token = z.strictObject({
  principal: text(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: "64 hexadecimal digits, as logstore-server hash-token prints them" }),
  expiresAt: text().optional(),
});

const jwt = z
  .strictObject({
    issuer: text(),
    audience: text(),
    algorithms: texts().optional(),
    principalClaim: text().optional(),
    jwksFile: text().optional(),
    jwksUrl: z.url({ protocol: /^https?$/ }).optional(),
    publicKeyFile: text().optional(),
  })
  .refine((jwt) => [jwt.jwksFile, jwt.jwksUrl, jwt.publicKeyFile].filter((from) => from !== undefined).length === 1, {
    error: "one of jwksFile, jwksUrl and publicKeyFile says where the keys are",
  });

/** Access control. */
export const accessSchema = z.strictObject({
  tokens: z.array(token).optional(),
  jwt: jwt.optional(),
  certificates: z.strictObject({ principal: z.enum(["commonName", "uri", "dns"]) }).optional(),
  rules: z.array(
    z.strictObject({
      principals: texts(),
      operations: z.array(z.enum([...operations, "*"])).min(1),
      topics: texts().optional(),
      groups: texts().optional(),
    }),
  ),
  quotas: z
    .array(
      z.strictObject({
        principals: texts(),
        produceBytesPerSecond: rate().optional(),
        consumeBytesPerSecond: rate().optional(),
        requestsPerSecond: rate().optional(),
        connections: whole(1).optional(),
      }),
    )
    .optional(),
});

const tlsSchema = z
  .strictObject({
    certFile: text().describe("PEM file of the server's certificate, followed by its intermediate certificates"),
    keyFile: text().describe("PEM file of the private key of the certificate"),
    clientCaFile: text()
      .optional()
      .describe("PEM file of the certificate authorities that clients' certificates are checked with"),
    clientCertificates: z
      .enum(["none", "optional", "required"])
      .optional()
      .describe("whether clients must present a certificate (default none)"),
  })
  .refine((tls) => tls.clientCaFile !== undefined || (tls.clientCertificates ?? "none") === "none", {
    error: "clientCertificates needs a clientCaFile to check them with",
    path: ["clientCertificates"],
  });

/** Limits of consumer groups; the broker has defaults. */
const groupLimits = {
  maxGroups: whole(0).optional().describe("limit of consumer groups, with or without members"),
  maxMembers: whole(0).optional().describe("limit of members of all consumer groups"),
  maxSubscriptions: whole(0).optional().describe("limit of topics and patterns that all members subscribe to"),
  maxAssignments: whole(0).optional().describe("limit of partitions that all members own"),
  maxCommitBytes: whole(0).optional().describe("limit of stored commits: 128 bytes each, plus their metadata"),
};

/** Limits on topics; the broker has defaults. */
const topicLimits = {
  maxTopics: whole(0).optional().describe("limit of topics"),
  maxPartitions: whole(0).optional().describe("limit of partitions of all topics"),
  maxSnapshots: whole(0).optional().describe("limit of snapshots of all topics"),
  minSegmentBytes: whole(75, 2 ** 31)
    .default(1024 * 1024)
    .describe("smallest segmentBytes that a client may set for a topic"),
};

/** With engine jetstream: the brokers that share the data in NATS. */
const cluster = {
  address: text()
    .optional()
    .describe("host:port under which clients and the other brokers reach this one (default the address it listens on)"),
  broker: text()
    .optional()
    .describe("name of this broker, which no other broker has (default the name of the machine)"),
  namespace: text().optional().describe("separates clusters that share a NATS account (default logstore)"),
  replicas: whole(1, 5).optional().describe("replicas of each partition that is created: 1, 3 or 5 (default 3)"),
  leaseMs: whole(300)
    .optional()
    .describe("how long a broker owns its partitions after it was last heard of (default 3000)"),
  syncsAlways: z
    .boolean()
    .default(false)
    .describe("declare that the NATS servers have sync_interval always, so that appends can be flushed"),
  natsMonitoring: text()
    .optional()
    .describe("addresses of the NATS servers' monitoring ports, with commas, which are asked about syncsAlways"),
  natsCredentialsFile: text().optional().describe("file with the credentials of a NATS user"),
  natsCaFile: text().optional().describe("PEM file of the certificate authorities of the NATS servers, with TLS"),
  natsCertFile: text().optional().describe("PEM file of this broker's certificate for the NATS servers"),
  natsKeyFile: text().optional().describe("PEM file of the private key of natsCertFile"),
  brokerCaFile: text().optional().describe("PEM file of the certificate authorities of the other brokers, with TLS"),
  brokerTokenFile: text().optional().describe("file with the bearer token that this broker shows to the others"),
};

/** Keys that only one engine has. */
const FILES_ONLY = ["durability", "segmentBytes", "maxBatchBytes", "retentionMs", "retentionBytes"] as const;

export const configSchema = z
  .strictObject({
    engine: z
      .enum(["files", "jetstream"])
      .default("files")
      .describe("what stores the data: files in the data directory, or a NATS JetStream cluster"),
    data: text().optional().describe("data directory; created if it does not exist (engine files)"),
    nats: text().optional().describe("addresses of NATS servers, separated by commas (engine jetstream)"),
    cluster: z.strictObject(cluster).prefault({}),
    listen: z
      .strictObject({
        host: text().default("127.0.0.1").describe("name or address to listen on"),
        port: whole(0, 65_535).default(7411).describe("port to listen on, 0 for a free one"),
      })
      .prefault({}),
    tls: tlsSchema.optional(),
    access: accessSchema.optional(),
    accessFile: text().optional().describe("YAML file with the content of the key access, in a file of its own"),
    insecure: z.boolean().default(false).describe("allow addresses other than loopback without TLS and access control"),
    durability: z
      .enum(["flushed", "written"])
      .optional()
      .describe(
        "when an append is acknowledged: once it survives a power failure (flushed, the default), or a crash of the process",
      ),
    segmentBytes: whole(MIN_SEGMENT_BYTES, 2 ** 31)
      .optional()
      .describe("size at which a partition begins a new segment file"),
    maxBatchBytes: whole(1, 2 ** 30)
      .optional()
      .describe("largest batch that is accepted"),
    retentionMs: whole(0).optional().describe("records are deleted when they are older than this"),
    retentionBytes: whole(0)
      .optional()
      .describe("the oldest segments of a partition are deleted while the remaining ones hold at least this much"),
    topics: z.strictObject(topicLimits).prefault({}),
    groups: z
      .strictObject({
        ...groupLimits,
        perPrincipal: z.strictObject(groupLimits).prefault({}),
      })
      .prefault({}),
    drainTimeoutMs: whole(0).default(10_000).describe("how long a stop waits for calls in progress"),
    reflection: z.boolean().default(true).describe("serve gRPC server reflection"),
    limits: z
      .strictObject({
        maxConnections: whole(1).optional().describe("limit of connections; more are refused"),
        maxConnectionsPerAddress: whole(1)
          .optional()
          .describe("limit of connections from one address, such as a proxy (default nine tenths of max-connections)"),
        sendBudgetBytes: whole(1).optional().describe("limit of bytes that wait to be sent to readers, in total"),
        receiveBudgetBytes: whole(1).optional().describe("limit of bytes of appends in progress, in total"),
        stalledStreamTimeoutMs: whole(1)
          .optional()
          .describe("how long a reader may accept no data before it is disconnected"),
      })
      .prefault({}),
    log: z
      .strictObject({
        level: z
          .enum(["debug", "info", "warn", "error", "silent"])
          .default("info")
          .describe("lowest level that is logged"),
        format: z.enum(["json", "text"]).default("json").describe("one JSON object a line, or plain text"),
      })
      .prefault({}),
    metrics: z
      .strictObject({
        host: text().default("127.0.0.1").describe("name or address on which metrics are served to Prometheus"),
        port: whole(0, 65_535)
          .optional()
          .describe("port of the metrics, 0 for a free one; no metrics are served without it"),
      })
      .prefault({}),
    tracing: z
      .strictObject({
        otlpUrl: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe("where traces are sent by OTLP/HTTP; nothing is traced without it"),
      })
      .prefault({}),
  })
  .refine((config) => config.access === undefined || config.accessFile === undefined, {
    error: "access and accessFile exclude each other",
    path: ["accessFile"],
  })
  .superRefine((config, { addIssue }) => {
    const problem = (key: string, message: string) => addIssue({ code: "custom", path: [key], message });
    const required = config.engine === "files" ? "data" : "nats";
    if (config[required] === undefined) {
      const variable = `LOGSTORE_${required.toUpperCase()}`;
      problem(
        required,
        `${required} is missing: say --${required}, ${variable}, or ${required} in the configuration file`,
      );
    }
    if (config.engine === "files") {
      if (config.data === undefined && config.nats !== undefined) {
        problem("nats", "nats has no meaning with engine files: say --engine jetstream");
      }
      return;
    }
    for (const key of FILES_ONLY) {
      if (config[key] !== undefined) problem(key, `${key} has no meaning with engine jetstream: topics have their own`);
    }
    if (config.listen.port === 0 && config.cluster.address === undefined) {
      problem("cluster", "a free port cannot be told to the other brokers: set cluster.address, or listen.port");
    }
  });

export type ServerConfig = z.output<typeof configSchema>;

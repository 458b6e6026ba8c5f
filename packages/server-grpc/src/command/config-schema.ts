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
    certFile: text().describe("certificate of the server and those that vouch for it, PEM"),
    keyFile: text().describe("its private key, PEM"),
    clientCaFile: text().optional().describe("certificates of those who vouch for clients, PEM"),
    clientCertificates: z
      .enum(["none", "optional", "required"])
      .optional()
      .describe("whether clients show a certificate (default none)"),
  })
  .refine((tls) => tls.clientCaFile !== undefined || (tls.clientCertificates ?? "none") === "none", {
    error: "clientCertificates needs a clientCaFile to check them with",
    path: ["clientCertificates"],
  });

/** Limits of consumer groups; the broker has defaults. */
const groupLimits = {
  maxGroups: whole(0).optional().describe("consumer groups, with members or without"),
  maxMembers: whole(0).optional().describe("members of all consumer groups"),
  maxSubscriptions: whole(0).optional().describe("topics and patterns that members of groups name"),
  maxAssignments: whole(0).optional().describe("partitions that members of all groups own"),
  maxCommitBytes: whole(0).optional().describe("bytes of commits: 128 for each, and its metadata"),
};

/** Limits on topics; the broker has defaults. */
const topicLimits = {
  maxTopics: whole(0).optional().describe("topics in all"),
  maxPartitions: whole(0).optional().describe("partitions of all topics"),
  maxSnapshots: whole(0).optional().describe("snapshots of all topics"),
  minSegmentBytes: whole(75, 2 ** 31)
    .default(1024 * 1024)
    .describe("least segmentBytes that a client may configure a topic to"),
};

export const configSchema = z
  .strictObject({
    data: text().describe("directory of the data; made where there is none"),
    listen: z
      .strictObject({
        host: text().default("127.0.0.1").describe("name or address to listen on"),
        port: whole(0, 65_535).default(7411).describe("port to listen on, 0 for a free one"),
      })
      .prefault({}),
    tls: tlsSchema.optional(),
    access: accessSchema.optional(),
    accessFile: text().optional().describe("file with what would be under access"),
    insecure: z
      .boolean()
      .default(false)
      .describe("listen on other than loopback addresses although not everything is encrypted and checked"),
    durability: z
      .enum(["flushed", "written"])
      .optional()
      .describe("when an append is acknowledged: it survives a power cut (default), or the end of this process"),
    segmentBytes: whole(MIN_SEGMENT_BYTES, 2 ** 31)
      .optional()
      .describe("size at which a partition goes on in a new file"),
    maxBatchBytes: whole(1, 2 ** 30)
      .optional()
      .describe("longest batch that is taken in"),
    retentionMs: whole(0).optional().describe("records are deleted when they are older than this"),
    retentionBytes: whole(0).optional().describe("a partition's oldest segments go while the others hold so much"),
    topics: z.strictObject(topicLimits).prefault({}),
    groups: z
      .strictObject({
        ...groupLimits,
        perPrincipal: z.strictObject(groupLimits).prefault({}),
      })
      .prefault({}),
    drainTimeoutMs: whole(0).default(10_000).describe("how long a stop waits for calls under way"),
    reflection: z.boolean().default(true).describe("answer clients that ask which services there are"),
    limits: z
      .strictObject({
        maxConnections: whole(1).optional().describe("connections in all; more are refused"),
        maxConnectionsPerAddress: whole(1)
          .optional()
          .describe("connections of one address, such as a proxy; more are refused (default nine tenths of all)"),
        sendBudgetBytes: whole(1).optional().describe("what all readers together may have waiting to be sent"),
        receiveBudgetBytes: whole(1).optional().describe("what all appends together may have waiting to be answered"),
        stalledStreamTimeoutMs: whole(1).optional().describe("how long a reader may take nothing before it is cut off"),
      })
      .prefault({}),
    log: z
      .strictObject({
        level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").describe("least that is logged"),
        format: z.enum(["json", "text"]).default("json").describe("a JSON object a line, or text for people"),
      })
      .prefault({}),
    metrics: z
      .strictObject({
        host: text().default("127.0.0.1").describe("name or address where Prometheus gets the metrics"),
        port: whole(0, 65_535).optional().describe("its port, 0 for a free one; without it there are no metrics"),
      })
      .prefault({}),
    tracing: z
      .strictObject({
        otlpUrl: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe("where spans are sent by OTLP/HTTP; without it there are none"),
      })
      .prefault({}),
  })
  .refine((config) => config.access === undefined || config.accessFile === undefined, {
    error: "access and accessFile exclude each other",
    path: ["accessFile"],
  });

export type ServerConfig = z.output<typeof configSchema>;

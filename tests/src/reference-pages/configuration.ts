/** Generates docs/reference/configuration.md from the schema of the server's configuration. */
import { allowed, scalarKeys, schemaAt } from "../../../packages/server-grpc/dist/command/config-keys.js";
import { accessSchema, configSchema } from "../../../packages/server-grpc/dist/command/config-schema.js";

const HEAD = `# Configuration

\`logstore-server\` is configured by a YAML file (\`--config FILE\`), by environment variables and by flags. A flag goes
before a variable, a variable before the file. \`logstore-server --config FILE --check\` says whether the configuration
makes sense, and starts nothing. Sizes are bytes, times milliseconds. A default that is missing here is the broker's
own: [\`logstore.yaml\`](../../packages/server-grpc/deploy/logstore.yaml) lists every key with the value that holds
without it.

The flag of the key \`listen.port\` is \`--listen-port\`, or \`--port\` for short, and its variable is
\`LOGSTORE_LISTEN_PORT\`; those of every other key are formed in the same way. \`--no-reflection\` turns off what is on
by default.

This page is made from the schema that the server checks its configuration with.
`;

const TITLES: Readonly<Record<string, string>> = {
  cluster: "Cluster, with engine jetstream",
  listen: "Where it listens",
  tls: "TLS",
  topics: "Limits on topics",
  groups: "Limits on consumer groups",
  limits: "Limits on peers",
  log: "Log",
  metrics: "Metrics",
  tracing: "Traces",
};

type Key = (typeof scalarKeys)[number];

export function configurationPage(): string {
  const general = scalarKeys.filter(({ path }) => path.length === 1);
  const sections = Object.entries(TITLES).map(([name, title]) => {
    return section(
      title,
      scalarKeys.filter(({ path }) => path.length > 1 && path[0] === name),
    );
  });
  return [HEAD, section("General", general), ...sections, access()].join("\n");
}

function section(title: string, keys: readonly Key[]): string {
  const rows = keys.map(
    (key) => `| \`${key.path.join(".")}\` | ${values(key.schema)} | ${byDefault(key)} | ${key.description} |\n`,
  );
  return `## ${title}

| key | value | default | meaning |
|---|---|---|---|
${rows.join("")}`;
}

function values(schema: Parameters<typeof allowed>[0]): string {
  return allowed(schema)
    .replace(/^a whole number from (\d+) to 9007199254740991$/, "a whole number, $1 or more")
    .replace("a text that is not empty", "text");
}

function byDefault({ path }: Key): string {
  if (path[0] === "data") return "must be given with engine files";
  if (path[0] === "nats") return "must be given with engine jetstream";
  const defaults: unknown = configSchema.parse({ data: "-" });
  const value = path.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], defaults);
  return value === undefined ? "" : `\`${String(value)}\``;
}

/** The keys under `access`, which can be set only in a file. */
function access(): string {
  const rows = keysUnder([]).map(
    (path) => `| \`${path.replaceAll(".0", "[]")}\` | ${values(schemaAt(accessSchema, segments(path)))} |\n`,
  );
  return `## Access control

Under \`access\` in the file, or at the top of the file that \`accessFile\` names; neither a flag nor a variable can set
these keys. Without \`access\`, everybody may do everything. [Security](../security.md#authorization) explains each.

| key | value |
|---|---|
${rows.join("")}`;
}

const segments = (path: string) => path.split(".").map((name) => (name === "0" ? 0 : name));

function keysUnder(path: readonly (string | number)[]): string[] {
  const schema = schemaAt(accessSchema, path);
  if (schema !== undefined && "shape" in schema) {
    return Object.keys(schema.shape as object).flatMap((name) => keysUnder([...path, name]));
  }
  if (schema !== undefined && "element" in schema) {
    const inner = schemaAt(accessSchema, [...path, 0]);
    if (inner !== undefined && "shape" in inner) return keysUnder([...path, 0]);
  }
  return [path.join(".")];
}

/** The files in deploy/cluster/ match the command, NATS, and one another. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generate } from "selfsigned";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { type CommandLine, parseCommandLine } from "../src/command/command-line.js";
import { loadConfig } from "../src/command/config.js";
import { temporaryDirectory } from "./temporary-directory.js";

const natsServer = process.env["NATS_SERVER"];
const read = (name: string) => readFileSync(new URL(`../deploy/cluster/${name}`, import.meta.url), "utf8");
const compose = parse(read("compose.yaml"), { merge: true });
const documents = parseAllDocuments(read("kubernetes.yaml"));
const manifests = documents.map((document) => document.toJS());
const find = (kind: string, name: string) =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);

const configOf = (args: readonly string[], environment: Record<string, string>) =>
  loadConfig(parseCommandLine([...args]) as CommandLine, environment);

function checkNats(config: string, name: string): void {
  const path = join(temporaryDirectory(), "nats.conf");
  writeFileSync(path, config);
  const env = { ...process.env, NATS_NAME: name, POD_NAME: name };
  const { status, stderr } = spawnSync(natsServer!, ["-t", "-c", path], { env, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining("is valid") });
}

test("compose: each broker has a name and an address of its own, and the three NATS servers", async () => {
  const image = readFileSync(new URL("../deploy/Containerfile", import.meta.url), "utf8");
  const variables = Object.fromEntries(
    Array.from(image.matchAll(/(LOGSTORE_\w+)=(\S+)/g), ([, key, value]) => [key, value]),
  );
  const shared = fileURLToPath(new URL("../deploy/cluster/logstore.yaml", import.meta.url));
  const services = Object.entries<{ environment: Record<string, string> }>(compose.services);
  const brokers = services.filter(([name]) => name.startsWith("broker-"));
  const servers = services.filter(([name]) => name.startsWith("nats-")).map(([name]) => name);
  expect([brokers.length, servers.length]).toEqual([3, 3]);
  for (const [name, { environment }] of brokers) {
    expect(compose.services[name].volumes).toEqual([`./logstore.yaml:${variables["LOGSTORE_CONFIG"]}:ro`]);
    const { config } = await configOf([], { ...variables, ...environment, LOGSTORE_CONFIG: shared });
    expect(config.listen.host).toBe("0.0.0.0");
    expect(config).toMatchObject({ engine: "jetstream", cluster: { broker: name, address: `${name}:7411` } });
    expect(config.nats!.split(",")).toEqual(servers.map((server) => `nats://${server}:4222`));
    expect(config.cluster.syncsAlways).toBe(/^ *sync_interval: always$/m.test(read("nats.conf")));
    const grace = Number.parseInt(compose.services[name].stop_grace_period, 10) * 1_000;
    expect(grace).toBeGreaterThan(config.drainTimeoutMs + 3_000);
  }
  for (const server of servers) expect(read("nats.conf")).toContain(`nats://${server}:6222`);
  expect(Object.keys(compose.volumes)).toEqual(servers);
});

test("kubernetes: the brokers' configuration is valid, and what the manifests name exists", async () => {
  for (const { errors } of documents) expect(errors).toEqual([]);
  const path = join(temporaryDirectory(), "logstore.yaml");
  const written = find("ConfigMap", "logstore").data["logstore.yaml"] as string;
  writeFileSync(path, written.replace(/^accessFile: .*$/m, "access: { rules: [] }"));
  const { config } = await configOf(["--config", path], { LOGSTORE_CLUSTER_BROKER: "logstore-0" });
  expect(config).toMatchObject({ engine: "jetstream", cluster: { syncsAlways: true }, listen: { port: 7411 } });
  const nats = find("ConfigMap", "nats").data["nats.conf"] as string;
  expect(nats).toMatch(/^ *sync_interval: always$/m);

  const header = read("kubernetes.yaml").split("apiVersion:")[0]!;
  for (const name of ["nats", "logstore"]) {
    const { spec } = find("StatefulSet", name);
    const { serviceName, replicas, selector, template } = spec;
    expect(replicas).toBe(3);
    expect(template.metadata.labels).toEqual(selector.matchLabels);
    expect(find("PodDisruptionBudget", name).spec).toEqual({ maxUnavailable: 1, selector });
    const pods = Array.from({ length: replicas }, (_, i) => `${name}-${i}.${serviceName}`);
    expect(find("Service", serviceName).spec).toMatchObject({ clusterIP: "None", selector: selector.matchLabels });
    if (name === "nats") {
      expect(config.nats!.split(",")).toEqual(pods.map((pod) => `nats://${pod}:4222`));
      for (const pod of pods) expect(nats).toContain(`nats://${pod}:6222`);
    }
    const [container] = template.spec.containers;
    const volumes = new Map<string, { configMap?: { name: string }; secret?: { secretName: string } }>(
      template.spec.volumes.map((volume: { name: string }) => [volume.name, volume]),
    );
    for (const { name: mounted } of container.volumeMounts) {
      const volume = volumes.get(mounted);
      if (volume === undefined) expect(spec.volumeClaimTemplates[0].metadata.name).toBe(mounted);
      else if (volume.configMap) expect(find("ConfigMap", volume.configMap.name)).toBeDefined();
      else if (volume.secret) expect(header).toMatch(new RegExp(`^#   ${volume.secret.secretName} `, "m"));
    }
    const ports = container.ports.map((port: { name: string }) => port.name);
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) {
      const { httpGet, tcpSocket, exec } = container[probe];
      if (exec === undefined) expect(ports).toContain((httpGet ?? tcpSocket).port);
      else expect(exec.command.slice(0, 2)).toEqual(["logstore-server", "health"]);
    }
  }
  const { terminationGracePeriodSeconds, containers } = find("StatefulSet", "logstore").spec.template.spec;
  const preStopSeconds = Number(containers[0].lifecycle.preStop.exec.command.at(-1));
  const neededMs = config.drainTimeoutMs + (config.cluster.leaseMs ?? 3_000) + preStopSeconds * 1_000;
  expect(terminationGracePeriodSeconds * 1_000).toBeGreaterThan(neededMs);
});

test.skipIf(natsServer === undefined)("NATS accepts its configurations", async () => {
  checkNats(read("nats.conf"), "nats-1");
  const directory = temporaryDirectory();
  const { cert, private: key } = await generate([{ name: "commonName", value: "nats" }]);
  for (const [file, pem] of Object.entries({ "ca.crt": cert, "tls.crt": cert, "tls.key": key })) {
    writeFileSync(join(directory, file), pem);
  }
  checkNats(find("ConfigMap", "nats").data["nats.conf"].replaceAll("/etc/nats-tls", directory), "nats-0");
});

if (natsServer === undefined) process.stdout.write("skipped: NATS checks its configurations (set NATS_SERVER)\n");

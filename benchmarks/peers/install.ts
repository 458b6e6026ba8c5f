/**
 * Installs what the other systems need, each with its own toolchain, where there is one:
 * `pnpm bench:install`. Servers come from elsewhere: Redis, PostgreSQL and RabbitMQ from the
 * system's packages.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const NATS_SERVER = "github.com/nats-io/nats-server/v2@v2.15.3";
const ANCESTOR = "github.com/lafikl/logstore";
const here = fileURLToPath(new URL(".", import.meta.url));
const bin = `${here}bin`;

run("Node clients", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], here);
optional("Apache Kafka", "mvn", ["--quiet", "--batch-mode", "dependency:copy-dependencies"], `${here}kafka`);
mkdirSync(bin, { recursive: true });
if (process.env["NATS_SERVER"] === undefined) {
  optional("nats-server", "go", ["install", NATS_SERVER], here, { GOBIN: bin });
}
optional(
  "Go ancestor",
  "go",
  [...["build", "-mod=mod", ...ancestor()], "-o", `${bin}/go-ancestor`, "."],
  `${here}go-ancestor`,
);

/** Its sources may be in a folder that GO_ANCESTOR names, where the module cannot be downloaded. */
function ancestor(): string[] {
  const sources = process.env["GO_ANCESTOR"];
  if (sources === undefined) return [];
  const [modules, copy] = [`${bin}/go-ancestor.mod`, `${bin}/go-ancestor-source`];
  copyFileSync(`${here}go-ancestor/go.mod`, modules);
  cpSync(sources, copy, { recursive: true });
  if (!existsSync(`${copy}/go.mod`)) writeFileSync(`${copy}/go.mod`, `module ${ANCESTOR}\n`);
  appendFileSync(modules, `\nreplace ${ANCESTOR} => ${copy}\n`);
  return [`-modfile=${modules}`];
}

function optional(what: string, program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): void {
  if (spawnSync(program, ["help"], { stdio: "ignore" }).error !== undefined) {
    console.log(`${what}: skipped: there is no ${program}`);
    return;
  }
  try {
    run(what, program, args, cwd, env);
  } catch (error) {
    console.log(`${what}: skipped: ${error instanceof Error ? error.message : error}`);
  }
}

function run(what: string, program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): void {
  execFileSync(program, args, { cwd, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...env } });
  console.log(`${what}: installed`);
}

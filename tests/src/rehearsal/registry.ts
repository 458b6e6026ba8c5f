/**
 * A registry on the loopback address that stores our packages, and proxies all others from the
 * registry that npm is configured to use.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { background } from "./processes.ts";
import type { Workshop } from "./workshop.ts";

/** Starts the registry and sets `workshop.registry`. Returns a function that stops the registry. */
export async function startRegistry(workshop: Workshop, ours: readonly string[]): Promise<() => Promise<void>> {
  const verdaccio = await workshop.tool("verdaccio");
  const home = workshop.path("registry");
  mkdirSync(home);
  const everybody = { access: "$all", publish: "$all", unpublish: "$all" };
  const config = {
    storage: join(home, "storage"),
    auth: { htpasswd: { file: join(home, "htpasswd"), max_users: -1 } },
    uplinks: { upstream: { url: workshop.upstream, timeout: "60s", max_fails: 100, fail_timeout: "1s" } },
    packages: {
      ...Object.fromEntries(ours.map((name) => [name, everybody])),
      "**": { access: "$all", proxy: "upstream" },
    },
    web: { enable: false },
    max_body_size: "100mb",
    log: { type: "stdout", format: "json", level: "warn" },
  };
  const file = join(home, "config.yaml");
  writeFileSync(file, JSON.stringify(config)); // JSON is YAML
  const port = await freePort();
  const place = { cwd: home, env: workshop.env() };
  const program = join(verdaccio, "bin/verdaccio");
  const args = [program, "--config", file, "--listen", `127.0.0.1:${port}`];
  const { stop } = await background(process.execPath, args, place, /http address|127\.0\.0\.1/);
  workshop.registry = `http://127.0.0.1:${port}/`;
  await answers(workshop.registry);
  return stop;
}

async function answers(registry: string): Promise<void> {
  const response = await fetch(`${registry}-/ping`);
  if (!response.ok) throw new Error(`the registry answers ${response.status}`);
}

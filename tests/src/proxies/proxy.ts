/** The proxies of docs/operations.md, each run with the configuration on that page. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KeyPair } from "../../../packages/server-grpc/test/certificates.ts";
import { freePort } from "../free-port.ts";

/** What a proxy needs besides the documented configuration to run as a child process of a test. */
interface Command {
  readonly command: string;
  /** The path at which the documented configuration expects certificates. */
  readonly certificates: string;
  /** The configuration of its distribution; `included` is the path of the documented one. */
  readonly frame?: (directory: string, included: string) => string;
  readonly args: (files: { readonly frame: string; readonly config: string }) => readonly string[];
  /**
   * Options of a new process that takes over from this one. Default: SIGHUP makes it reload its
   * configuration.
   */
  readonly takeOver?: (directory: string, pid: number) => readonly string[];
}

export interface Documented extends Command {
  /** The fenced block of the page: its language, and the comment in its first line. */
  readonly block: readonly [language: string, title: string];
  /** Whether TLS is terminated by the server. */
  readonly isPassThrough: boolean;
  /**
   * HTTP status of the proxy's response while the server is down; 0 if it closes the connection.
   */
  readonly awayStatus: number;
}

const haproxy: Command = {
  command: "haproxy",
  certificates: "/etc/haproxy/",
  frame: (directory) =>
    `global\n  stats socket ${directory}/s mode 600 level admin expose-fd listeners\n  maxconn 4000\n`,
  args: ({ frame, config }) => ["-db", "-f", frame, "-f", config],
  takeOver: (directory, pid) => ["-x", `${directory}/s`, "-sf", String(pid)],
};

export const documented: { readonly [name: string]: Documented } = {
  nginx: {
    command: "nginx",
    block: ["nginx", "nginx"],
    isPassThrough: false,
    awayStatus: 502,
    certificates: "/etc/nginx/",
    frame: (directory, included) => `
      daemon off; pid ${directory}/nginx.pid; error_log ${directory}/error.log; worker_processes 1;
      events { worker_connections 4096; }
      http {
        access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
        fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
        include ${included};
      }`,
    args: ({ frame }) => ["-c", frame],
  },
  "haproxy, HTTP/2": { ...haproxy, block: ["haproxy", "HTTP/2"], isPassThrough: false, awayStatus: 503 },
  "haproxy, TCP": { ...haproxy, block: ["haproxy", "TCP"], isPassThrough: true, awayStatus: 0 },
  Envoy: {
    command: "envoy",
    block: ["yaml", "Envoy"],
    isPassThrough: false,
    awayStatus: 200, // a gRPC response: grpc-status 14 in its headers
    certificates: "/etc/envoy/",
    args: ({ config }) => ["--concurrency", "1", "--log-level", "error", "-c", config],
  },
};

export function isInstalled({ command }: Documented): boolean {
  return spawnSync(command, [command === "envoy" ? "--version" : "-v"]).error === undefined;
}

const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");

/** The block as on the page. */
export function documentedConfig({ block: [language, title] }: Documented): string {
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, tag, text]) => {
    return tag === language && text!.startsWith(`# ${title}`);
  });
  if (blocks.length !== 1) throw new Error(`docs/operations.md has ${blocks.length} configurations of ${title}`);
  return blocks[0]![2]!;
}

export class ProxyProcess {
  readonly port: number;
  readonly #proxy: Documented;
  readonly #directory: string;
  #upstream = "";
  /** The newest process is last; earlier ones have been replaced by it. */
  readonly #children: ChildProcess[] = [];
  /** Output of the newest process. */
  #said = "";

  private constructor(proxy: Documented, directory: string, port: number) {
    this.#proxy = proxy;
    this.#directory = directory;
    this.port = port;
  }

  static async start(proxy: Documented, directory: string, upstream: string, pair: KeyPair): Promise<ProxyProcess> {
    const started = new ProxyProcess(proxy, directory, await freePort());
    writeFileSync(join(directory, "server.key"), pair.key);
    writeFileSync(join(directory, "server.crt"), pair.cert);
    writeFileSync(join(directory, "server.pem"), `${pair.cert}\n${pair.key}\n`);
    started.#upstream = upstream;
    started.configure();
    await started.start();
    return started;
  }

  get #files() {
    return { frame: join(this.#directory, "frame"), config: join(this.#directory, "config.yaml") };
  }

  /**
   * Writes the documented configuration with the addresses and files of this test, and with other
   * timeouts if given.
   */
  configure(timeout = "1h"): void {
    const [host = "", port = ""] = this.#upstream.split(":");
    const { certificates, frame } = this.#proxy;
    const config = documentedConfig(this.#proxy)
      .replaceAll("logstore:7411", this.#upstream)
      .replaceAll("address: logstore, port_value: 7411", `address: ${host}, port_value: ${port}`)
      .replaceAll("address: 0.0.0.0, port_value: 7411", `address: 127.0.0.1, port_value: ${this.port}`)
      .replace("listen 7411", `listen 127.0.0.1:${this.port}`)
      .replace("bind :7411", `bind 127.0.0.1:${this.port}`)
      .replaceAll(certificates, `${this.#directory}/`)
      .replaceAll(/\b1h\b/g, timeout);
    writeFileSync(this.#files.config, config);
    writeFileSync(this.#files.frame, frame?.(this.#directory, this.#files.config) ?? "");
  }

  async start(): Promise<void> {
    this.#run();
    await this.#listening();
  }

  /**
   * A new process or worker accepts new connections; streams in progress continue in the old one.
   */
  async reload(): Promise<void> {
    const old = this.#children.at(-1)!;
    if (this.#proxy.takeOver === undefined) old.kill("SIGHUP");
    else this.#run(this.#proxy.takeOver(this.#directory, old.pid!));
    await sleep(200);
  }

  async kill(): Promise<void> {
    const children = this.#children
      .splice(0)
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(
      children.map(async (child) => {
        const ended = once(child, "exit");
        process.kill(-child.pid!, "SIGKILL"); // also kills its workers
        await ended;
      }),
    );
  }

  #run(more: readonly string[] = []): void {
    const args = [...this.#proxy.args(this.#files), ...more];
    const child = spawn(this.#proxy.command, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    this.#said = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
    this.#children.push(child);
  }

  async #listening(): Promise<void> {
    for (;;) {
      const { exitCode } = this.#children.at(-1)!;
      if (exitCode !== null) throw new Error(`${this.#proxy.command} ended with ${exitCode}: ${this.#said}`);
      const isUp = await new Promise((resolve) => {
        const socket = connect(this.port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
        socket.once("connect", () => socket.destroy());
      });
      if (isUp) return;
      await sleep(20);
    }
  }
}

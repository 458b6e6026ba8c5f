/** RabbitMQ with its stream plugin: a node of its own, reached on the loopback address only. */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, globSync, realpathSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Skipped } from "../../src/contestants/embedded.ts";
import type { RunningServer, ServerOptions } from "../../src/contestants/served.ts";
import { endedWithThis, stopped } from "../../src/processes/children.ts";
import { freePort } from "../../src/processes/free-port.ts";
import { programOf, startProgram } from "./start-program.ts";

export async function start({ directory, durability }: ServerOptions): Promise<RunningServer> {
  if (durability === "flushed") throw new Skipped("RabbitMQ Streams confirm before they sync, and offer nothing else");
  // The wrapper of Debian in the PATH changes the user by itself, and needs root.
  const folders = ["/usr/lib/rabbitmq/bin", ...globSync("/opt/rabbitmq*/sbin")];
  const program = programOf("rabbitmq-server", "RABBITMQ_SERVER", folders);
  const version = versionOf(program);
  const inFolder = folders.map((folder) => join(folder, "rabbitmq-server")).find((file) => globSync(file).length > 0);
  const [port, amqpPort, distributionPort] = [await freePort(), await freePort(), await freePort()];
  const namesPort = String(await freePort());
  const config = join(directory, "rabbitmq.conf");
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${amqpPort}`,
    `stream.listeners.tcp.1 = 127.0.0.1:${port}`,
    "stream.advertised_host = 127.0.0.1",
    `stream.advertised_port = ${port}`,
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  const plugins = join(directory, "enabled_plugins");
  await writeFile(plugins, "[rabbitmq_stream].\n");
  const home = join(directory, "home");
  await mkdir(home);
  const environment = {
    HOME: home,
    RABBITMQ_NODENAME: `benchmark${port}@localhost`,
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_MNESIA_BASE: join(directory, "data"),
    RABBITMQ_LOG_BASE: join(directory, "logs"),
    RABBITMQ_DIST_PORT: String(distributionPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: namesPort,
  };
  const user = ownUser();
  if (user !== undefined) for (const path of [directory, home]) chownSync(path, user.uid, user.gid);
  // One that the server starts itself would outlive it.
  const names = endedWithThis(spawn(programOf("epmd", "EPMD"), ["-port", namesPort], { stdio: "ignore", ...user }));
  const server = await startProgram(inFolder ?? program, [], { port, directory, environment, ...user });
  const stop = async () => {
    await server.stop();
    await stopped(names);
  };
  return {
    address: `127.0.0.1:${port}`,
    version: `RabbitMQ ${version}`,
    settings: "defaults, one node",
    ...server,
    stop,
  };
}

/** Of the name of the server's folder. The client needs commands that came with 3.11. */
function versionOf(program: string): string {
  const folders = [realpathSync(join(dirname(program), "..")), ...globSync("/usr/lib/rabbitmq/lib/rabbitmq_server-*")];
  const [, major, minor] = /rabbitmq_server-(\d+)\.(\d+)/.exec(folders.join()) ?? [];
  if (Number(major) < 3 || (Number(major) === 3 && Number(minor) < 11)) {
    throw new Skipped(`its client needs RabbitMQ 3.11, and this is ${major}.${minor}`);
  }
  return major === undefined ? "of unknown version" : `${major}.${minor}`;
}

/** Of Debian's package, for those who run as root. */
function ownUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (what: string) => Number(execFileSync("id", [what, "rabbitmq"], { encoding: "utf8", stdio: "pipe" }));
  return { uid: id("-u"), gid: id("-g") };
}

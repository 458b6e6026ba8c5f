/** `logstore-server` as a process of its own: the command, as anybody runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export async function startServer(directory: string): Promise<{ server: ChildProcess; address: string }> {
  const bin = fileURLToPath(new URL("dist/bin.js", import.meta.resolve("@logstore/server-grpc/package.json")));
  const args = [bin, "--data", directory, "--port", "0", "--durability", "written"];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout })) {
    const address = line.split(" ").at(-1);
    if (address !== undefined) return { server, address };
  }
  throw new Error("the server did not start");
}

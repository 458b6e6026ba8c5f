// scratch
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { fork } from "node:child_process";
import { connect, GrpcLogApi } from "@logstore/client";
import { RecordBatchBuilder } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import { BareClient } from "./bare-grpc.ts";
import { record } from "./records.ts";

const [mode, roundsText = "5", prof = ""] = process.argv.slice(2);
const rounds = Number(roundsText);
const dir = mkdtempSync("/tmp/streams/data-");
const bin = fileURLToPath(new URL("dist/bin.js", import.meta.resolve("@logstore/server-grpc/package.json")));
const flags = prof.includes("s") ? ["--cpu-prof", "--cpu-prof-dir=/tmp/streams/prof-server"] : [];
const server = spawn(process.execPath, [...flags, ...(process.env.SFLAGS?.split(" ") ?? []), bin, "--data", dir, "--port", "0", "--durability", "written"], { stdio: ["ignore", "pipe", "inherit"] });
let address = "";
for await (const line of createInterface({ input: server.stdout })) { address = line.split(" ").at(-1)!; break; }
const bareServer = fork(new URL("bare-server.ts", import.meta.url));
const bare = new BareClient((await once(bareServer, "message"))[0]);
const client = connect(address);
const api = new GrpcLogApi(address);
const build = () => {
  const b = new RecordBatchBuilder({ targetBytes: 256 * 1024, expectedBytes: 256 * 1024, headroomBytes: PRODUCE_HEADROOM_BYTES });
  let n = 0; while (b.append(record.key, record.value, record.timestamp)) n++;
  return { batch: b.seal(), n };
};
const { n, batch } = build();
const messages = Math.floor(1_000_000 / n);
const mb = (messages * batch.length) / 1e6;
function cpu(pid: number) { const f = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" "); return (Number(f[11]) + Number(f[12])) * 10; }
async function run(name: string, pid: number, work: () => Promise<void>) {
  const s0 = cpu(pid), c0 = process.cpuUsage(), t = performance.now();
  await work();
  const ms = performance.now() - t, c = process.cpuUsage(c0), s = cpu(pid) - s0;
  return { name, mbps: mb / ms * 1000, client: (c.user + c.system) / mb, server: s * 1000 / mb };
}
let topics = 0;
async function produce() {
  const topic = `p${topics++}`;
  await client.createTopic(topic, { partitions: 1 });
  const batches = Array.from({ length: messages }, () => build().batch);
  const r = await run("produce", server.pid!, async () => {
    const underWay = new Set<Promise<unknown>>();
    for (const batch of batches) {
      const ack = api.produce({ topic, partition: 0, batches: batch, headroomBytes: PRODUCE_HEADROOM_BYTES });
      const settled = ack.finally(() => underWay.delete(settled)); underWay.add(settled);
      if (underWay.size >= 32) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  });
  if (topic !== "p0") await client.deleteTopic(topic);
  return r;
}
await produce();
const consume = () => run("consume", server.pid!, async () => {
  let seen = 0;
  for await (const { baseOffset, nextOffset } of client.consumer({ assign: { p0: [0] }, until: "latest" }).batches()) seen += nextOffset - baseOffset;
  if (seen !== messages * n) throw new Error("short");
});
const sides: Record<string, (() => Promise<any>)[]> = {
  consume: [consume, () => run("bare down", bareServer.pid!, () => bare.download(batch.length, messages))],
  produce: [produce, () => run("bare up", bareServer.pid!, () => bare.upload(batch.length, messages))],
};
const rows: any[] = [];
for (let i = 0; i <= rounds; i++) for (const side of sides[mode!]!) { const r = await side(); if (i > 0) rows.push(r); }
for (const name of new Set(rows.map((r) => r.name))) {
  const mine = rows.filter((r) => r.name === name);
  const med = (k: string) => mine.map((r) => r[k]).sort((a, b) => a - b)[mine.length >> 1];
  console.log(name.padEnd(10), `${med("mbps").toFixed(0)} MB/s`, `client ${med("client").toFixed(0)} us/MB`, `server ${med("server").toFixed(0)} us/MB`);
}
const ra = rows.filter((_, i) => i % 2 === 0), rb = rows.filter((_, i) => i % 2 === 1);
const ratios = ra.map((r, i) => r.mbps / rb[i].mbps).sort((a, b) => a - b);
console.log("ratio", ratios[ratios.length >> 1]!.toFixed(2), ratios[0]!.toFixed(2), ratios.at(-1)!.toFixed(2));
await client.close(); api.close(); bare.close(); bareServer.disconnect(); server.kill("SIGTERM"); await once(server, "exit");
rmSync(dir, { recursive: true });

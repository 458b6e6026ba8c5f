/**
 * One member of each of many groups, in a process of its own. Reports each time all of them have
 * their partition.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [build, address, topic, from, to] = process.argv.slice(2) as [string, string, string, string, string];
const { connect } = (await import(
  pathToFileURL(join(build, "packages/client/dist/index.js")).href
)) as typeof import("@logstore/client");
const client = connect(address);
const count = Number(to) - Number(from);
const assigned = new Set<number>();

for (let i = Number(from); i < Number(to); i++) {
  const consumer = client.consumer({
    group: `group-${i}`,
    topics: [topic],
    onAssigned: () => {
      assigned.add(i);
      if (assigned.size === count) process.send!("all");
    },
    onLost: () => void assigned.delete(i),
  });
  void (async () => {
    for await (const _ of consumer) await consumer.commit();
  })().catch((error) => console.error(error));
}
process.once("disconnect", () => process.exit()); // the parent has exited
process.on("message", () => process.exit());

/** A fresh process that opens a log, appends values and reads them again. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { EmbeddedLog } from "../../contestants/embedded.ts";
import { absenceBy, type Contestant, load } from "../../contestants/list.ts";
import { Sink, Source, type SourceOptions } from "../../contestants/values.ts";

export interface ColdEmbeddedRun extends SourceOptions {
  readonly contestant: Contestant;
  /** Of the log, which is left there. */
  readonly parent: string;
}

const { contestant, parent, ...options }: ColdEmbeddedRun = JSON.parse(process.argv[2]!);
const { way, checkout, file } = contestant;
const open = await create().catch((error: unknown) => absenceBy(error, file));
if ("absence" in open) {
  console.log(JSON.stringify(open));
  process.exit();
}
const source = new Source(options);
await open.append(source);
const sink = new Sink(options.valueBytes);
await open.read(sink);
sink.expect(source.count);
await open.close();
console.log("{}");

async function create() {
  const { log } = await load<{ log: EmbeddedLog }>(file);
  return log.create(await mkdtemp(join(parent, "log-")), { durability: "written", way, checkout });
}

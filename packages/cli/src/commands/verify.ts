import { LogStore, LogStoreError, type VerifyFinding } from "@logstore/core";
import type { Context } from "../command/context.js";
import { type FoundStore, findStores, segmentFiles, storeName } from "../directory/find-stores.js";
import { exitCodes } from "../errors/exit-codes.js";
import { bytes, count, counted } from "../output/numbers.js";

/** A finding in one partition of a topic. */
type Finding = VerifyFinding & { readonly topic: string | undefined };

/** Reads everything, even while a server is running. The exit code is 1 if there are findings. */
export async function run(context: Context, { topic }: { readonly topic?: string }, directory: string): Promise<void> {
  const { output, signal } = context;
  const { stores } = await findStores(directory, topic);
  const sizes = await Promise.all(stores.map((store) => segmentFiles(store.directory)));
  const total = sizes.flat().reduce((sum, segment) => sum + segment.bytes, 0);
  const progress = await output.progress({ label: "Verifying", total, unit: "bytes" });
  const findings: Finding[] = [];
  const unopened: { readonly store: FoundStore; readonly error: LogStoreError }[] = [];
  let records = 0;
  let done = 0;
  try {
    for (const store of stores) {
      try {
        const checked = await verifyStore(store, signal, (read) => progress.update(done + read));
        findings.push(...checked.findings);
        records += checked.records;
        done += checked.bytes;
      } catch (error) {
        if (stores.length === 1 || !(error instanceof LogStoreError)) throw error;
        unopened.push({ store, error });
      }
    }
  } finally {
    progress.end();
  }
  for (const finding of findings) await output.result(finding, () => describeFinding(finding, directory, context));
  for (const { store, error } of unopened) {
    const { code, message } = error;
    await output.result(
      { topic: store.topic, kind: "unopened", code, message },
      () => `${output.style("red", "unopened")} ${storeName(store)}: ${message}`,
    );
  }
  const verified = stores.length - unopened.length;
  const all = findings.length + unopened.length;
  const summary = { stores: verified, records, bytes: done, findings: all };
  await output.result(summary, () => {
    const what = `${counted(records, "record")} in ${counted(verified, "topic")}, ${bytes(done)}`;
    if (all === 0) return `${output.style("green", "sound")}: ${what}`;
    return `${output.style("red", counted(all, "finding"))}: ${what}; see logstore repair ${directory}`;
  });
  if (all > 0) context.exitCode = exitCodes.failed;
}

async function verifyStore(
  store: FoundStore,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<{ readonly findings: Finding[]; readonly records: number; readonly bytes: number }> {
  await using log = await LogStore.openReadOnly(store.directory);
  const findings: Finding[] = [];
  const byPartition = new Map<number, { readonly records: number; readonly bytes: number }>();
  const sum = (name: "records" | "bytes") => [...byPartition.values()].reduce((all, each) => all + each[name], 0);
  for await (const event of log.verify()) {
    signal.throwIfAborted();
    if (event.type === "finding") {
      findings.push({ topic: store.topic, ...event });
      continue;
    }
    byPartition.set(event.partition, event);
    onBytes(sum("bytes"));
  }
  return { findings, records: sum("records"), bytes: sum("bytes") };
}

function describeFinding(finding: Finding, directory: string, { output: { style } }: Context): string {
  const { kind, partition, file, byte, length, offset, nextOffset, reason } = finding;
  const where = `${storeName({ topic: finding.topic, directory })}/${file} byte ${count(byte)}`;
  if (kind === "index") return `${style("yellow", "index")}    ${where}: ${reason}`;
  if (kind === "overlap") return `${style("red", "overlap")}  ${where}: ${reason}`;
  const size = length === 0 ? "" : `, ${counted(length, "byte")}`;
  const lost = nextOffset === undefined ? `from offset ${count(offset)} on` : lostOffsets(offset, nextOffset);
  return `${style("red", "damage")}   ${where}${size}: ${reason}; partition ${partition} loses ${lost}`;
}

function lostOffsets(offset: number, nextOffset: number): string {
  if (nextOffset === offset) return "no offset";
  return nextOffset === offset + 1 ? `offset ${count(offset)}` : `offsets ${count(offset)} to ${count(nextOffset - 1)}`;
}

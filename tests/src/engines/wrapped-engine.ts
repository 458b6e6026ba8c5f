/** Engines in memory whose parts behave as those of a remote engine may. */
import type { DurableMap, Engine, JournalStore, PartitionLog, Topic, TopicCatalogue } from "@logstore/core/engine";

/** Functions that replace parts of an engine. */
export interface Wrappers {
  log?(log: PartitionLog): PartitionLog;
  journalLog?(log: PartitionLog): PartitionLog;
  map?(map: DurableMap): DurableMap;
  catalogue?(catalogue: TopicCatalogue): TopicCatalogue;
  journal?(journal: JournalStore): JournalStore;
}

export function wrapped(engine: Engine, wrappers: Wrappers): Engine {
  const { log = same, journalLog = same, map = same } = wrappers;
  const topic = (open: Topic): Topic => {
    const logs = Array.from({ length: open.partitionCount }, (_, partition) => log(open.log(partition)));
    return instead(open, { log: (partition) => logs[partition] ?? open.log(partition) });
  };
  const originals = new WeakMap<Topic, Topic>();
  const opened = (open: Topic): Topic => {
    const wrapper = topic(open);
    originals.set(wrapper, open);
    return wrapper;
  };
  const catalogue = wrappers.catalogue?.(engine.catalogue) ?? engine.catalogue;
  const journal = wrappers.journal?.(engine.journal) ?? engine.journal;
  const wrappedCatalogue: TopicCatalogue = instead(catalogue, {
    open: async (found) => opened(await catalogue.open(found)),
    create: async (...request) => opened(await catalogue.create(...request)),
    alter: (open, change) => catalogue.alter(originals.get(open)!, change),
    delete: (open) => catalogue.delete(originals.get(open)!),
  });
  const wrappedJournal: JournalStore = instead(journal, {
    open: async () => {
      const found = await journal.open();
      return found && journalLog(found);
    },
    make: async () => journalLog(await journal.make()),
  });
  return instead(engine, { catalogue: wrappedCatalogue, journal: wrappedJournal, map: map(engine.map) });
}

/** A log that another broker owns: its bounds are those of the last refresh, append or wait. */
export function followed(log: PartitionLog): PartitionLog {
  const now = () => {
    const { logStart, highWatermark, logEnd } = log.offsets;
    return { logStart, highWatermark, logEnd };
  };
  let known = { logStart: 0, highWatermark: 0, logEnd: 0 };
  const refresh = async () => {
    await new Promise(setImmediate);
    known = now();
  };
  const then = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    known = now();
    return result;
  };
  const own: Partial<PartitionLog> = {
    refresh,
    appendBatches: (bytes, options) => then(log.appendBatches(bytes, options)),
    deleteRecords: (offset) => then(log.deleteRecords(offset)),
    waitBeyond: (...request) => then(log.waitBeyond(...request)),
  };
  return new Proxy(instead(log, own), {
    get(target, name) {
      if (name === "offsets") return known;
      return name === "knownEnd" ? known.logEnd : Reflect.get(target, name);
    },
  });
}

/** Returns the object with some members replaced. */
export function instead<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in members) return Reflect.get(members, name);
      const member = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function same<T>(part: T): T {
  return part;
}

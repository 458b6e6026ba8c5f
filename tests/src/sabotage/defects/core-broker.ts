/** Defects of the broker, and the engine on files. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import {
  BROKER,
  CONSUME,
  GOLDEN,
  GROUP_LOG,
  GROUPS,
  SNAPSHOT_CRASH,
  SNAPSHOT_FILE,
  SNAPSHOTS,
  TOPIC_LIMITS,
} from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreBrokerDefects: readonly Defect[] = [
  ...within("core/broker/fetch.ts", [CONSUME], {
    "waits for room while it holds batches": ["bytes === 0 ? readInBudget : tryReadInBudget", "readInBudget"],
    "does not tell of gaps": ["if (gap !== undefined) gaps.push(gap);", ""],
  }),
  ...within("core/broker/consume.ts", [CONSUME], {
    "does not tell of gaps": ['if (gap !== undefined) yield { type: "gap", ...gap, ...endsOf(log) };', ""],
  }),
  ...within("core/broker/topics/topic-limits.ts", [TOPIC_LIMITS], {
    "has no limits": ["if (!more[kind] || wanted <= limit) continue;", "if (wanted !== undefined) continue;"],
  }),
  ...within("core/broker/topics/topic-lifecycle.ts", [TOPIC_LIMITS], {
    "counts a topic that was not made": ["        this.#totals.remove(made);\n", ""],
    "goes on counting a deleted topic": ["this.#totals.remove({ topics: 1, partitions: partitionCount });", ""],
    "does not count what was there": ["this.#totals.add({ partitions: partitionCount });", ""],
    "takes segments of any size": ["    this.#totals.checkSegmentBytes(change.segmentBytes);\n", ""],
  }),
  ...within("core/broker/topics/topic-lifecycle.ts", ["src/broker/topics.test.ts"], {
    "makes records durable before it deletes them": ["      open.abandon?.();\n", ""],
  }),
  ...within("core/broker/topics/topics.ts", ["src/broker/opening.test.ts", "src/broker/unreadable.test.ts"], {
    "gives an unreadable topic's name again": [
      "this.#opening.has(topic) || this.#isUnreadable(topic);",
      "this.#opening.has(topic);",
    ],
    "gives the name of a topic that waits to be opened again": [
      "this.#open.has(topic) || this.#opening.has(topic) || this.#isUnreadable(topic);",
      "this.#open.has(topic) || this.#isUnreadable(topic);",
    ],
  }),
  ...within("core/broker/topics/check-topic.ts", ["src/broker/topic-id.test.ts"], {
    "takes a topic for another one of its name": [
      "if (!expected || expected === id) return;",
      "if (expected !== id) return;",
    ],
  }),
  ...within("core/broker/snapshots/snapshots.ts", [TOPIC_LIMITS], {
    "restores beyond the limit of partitions": ["reserve(description.partitions.length);", ""],
    "does not count snapshots that were there": [
      "totals.add({ snapshots: await snapshots.#directories.find() });",
      "await snapshots.#directories.find();",
    ],
  }),
  ...within("core/broker/snapshots/snapshots.ts", [SNAPSHOTS, SNAPSHOT_CRASH], {
    "does not sync a new snapshot's name": [
      "await this.#directories.syncNames(topic, `${what}: delete it and make it again`);",
      "void what;",
    ],
    "restores other offsets": ["await checkBounds(this.#storage, directory, description);", ""],
    "goes on when the broker is closed": [
      "await store.copyTo(unfinished, this.#stop.signal);",
      "await store.copyTo(unfinished, new AbortController().signal);",
    ],
  }),
  ...within("core/broker/snapshots/snapshot-names.ts", ["src/broker/snapshots/snapshot-names.test.ts"], {
    "takes capitals for small letters": [
      "if (/[a-zA-Z]/.test(letter) && (letter !== lower) !== isUpper) {",
      "if (letter < lower && isUpper) {",
    ],
  }),
  ...within("core/broker/snapshots/snapshot-directories.ts", [SNAPSHOTS, SNAPSHOT_CRASH], {
    "does not sync the names that it found": [
      "this.#storage.syncDirectory(this.path(topic)).catch((cause) => this.#noteUnreadable(cause, topic)),",
      "void topic,",
    ],
    "leaves what was half made": ["if (UNFINISHED.test(name)) await", 'if (name === "~") await'],
  }),
  ...within("core/file-engine/file-catalogue.ts", [BROKER, GOLDEN], {
    "makes a topic in its place": [
      "const unfinished = `${directory}.new`;",
      "const unfinished = directory;",
      "waits for tests",
    ],
    "does not sync a new topic's name": [
      "await storage.syncDirectory(this.#directory);\n      return await",
      "return await",
      "waits for tests",
    ],
    "keeps what was half made and half removed": ["if (UNFINISHED.test(id)) await", 'if (id === ".deleted") await'],
    "serves one of two that have the same name": [
      "if (other === undefined && !unreadable.some((each) => each.topic === topic)) {",
      "if (!unreadable.some((each) => each.topic === topic)) {",
    ],
    "alters a topic until it is opened again": [
      "await writeTopicFile(this.#storage, location, file);",
      "",
      "waits for tests",
    ],
  }),
  ...within("core/file-engine/file-catalogue.ts", ["src/broker/topic-id.test.ts"], {
    "gives a topic without an id another one at each opening": [
      "id ?? topicIdOf(store.id)",
      "id ?? topicIdOf(this.#storage.randomHex(16))",
    ],
  }),
  ...within("core/broker/producer-ids.ts", ["src/broker/producer-ids.test.ts", GOLDEN], {
    "hands out ids before they are reserved": [
      "if (this.#next >= this.#reserved) await this.#reserve();",
      "if (this.#next >= this.#reserved) void this.#reserve().catch(() => {});",
    ],
    "reserves too few": ["next: first + BLOCK };", "next: first };"],
    "begins anew where the file is damaged": [
      "if (content?.formatVersion === 1) return content.next;",
      "return content?.next ?? 1;",
    ],
    "goes on with a block that could not be noted": [
      "      const isSet = await this.#map",
      "      this.#next = first;\n      this.#reserved = first + BLOCK;\n      const isSet = await this.#map",
    ],
    "takes a block that another broker has taken": ["      if (isSet === undefined) continue;\n", ""],
    "hands the same id to two at once": [
      "const next = this.#last.then(() => this.#take());",
      "const next = this.#take();",
    ],
  }),
  ...within("core/file-engine/file-journal-store.ts", [SNAPSHOT_FILE, GROUP_LOG], {
    "counts only the first piece of what it writes": [
      "for (const { length } of pieces) position += length;",
      "position += pieces[0]?.length ?? 0;",
    ],
  }),
  ...within("core/broker/broker.ts", [GROUPS], {
    "groups do not hear that a topic is gone": [
      "await this.#parts.lifecycle.delete(topic, () => groups.topicDeleted(topic), options?.topicId);",
      "await this.#parts.lifecycle.delete(topic, async () => {}, options?.topicId);",
    ],
    "groups do not hear that a topic is new": [
      "await this.#parts.lifecycle.create(topic, partitions, config, ifNotExists);\n    this.#parts.groups.topicsChanged();",
      "await this.#parts.lifecycle.create(topic, partitions, config, ifNotExists);",
    ],
    "groups do not hear that a topic was restored": [
      'await this.#files("snapshots").snapshots.restore(topic, snapshot, newTopic);\n    this.#parts.groups.topicsChanged();',
      'await this.#files("snapshots").snapshots.restore(topic, snapshot, newTopic);',
    ],
  }),
  ...within("core/broker/topics-for-groups.ts", [GROUPS], {
    "forgets the commits of a topic that cannot be read": [
      "topics.has(topic) || topics.unreadable.some((other) => other.topic === undefined || other.topic === topic),",
      "topics.has(topic),",
    ],
  }),
];

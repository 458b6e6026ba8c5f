/**
 * `topic.json`: a topic's name, its id and its configuration. docs/format/directory.md lists its
 * fields.
 */
import { NotALogStoreError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import { changedConfig } from "../engine/topic-config.js";
import { checkTopicName } from "../engine/topic-name.js";
import { decodeJsonWithCrc, encodeJsonWithCrc } from "../files/checked-json.js";
import { TOPIC_FILE } from "../files/file-names.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { resolveOptions } from "../store/options.js";

export interface TopicFile {
  readonly topic: string;
  /** Undefined if release 0.1.0 wrote the file. */
  readonly id: string | undefined;
  readonly config: TopicConfig;
}

export function writeTopicFile(storage: Storage, directory: string, content: TopicFile): Promise<void> {
  return writeFileAtomically(storage, directory, TOPIC_FILE, encodeJsonWithCrc(content));
}

/**
 * Returns undefined if the file does not exist: the directory is not that of a topic.
 *
 * @throws NotALogStoreError if the file is damaged
 */
export async function readTopicFile(storage: Storage, directory: string): Promise<TopicFile | undefined> {
  const file = `${directory}/${TOPIC_FILE}`;
  const content = await readWholeFile(storage, file);
  if (content === undefined) return undefined;
  try {
    const { topic, id, config = {} } = decodeJsonWithCrc(content) as unknown as Partial<TopicFile>;
    checkTopicName(topic!);
    if (id !== undefined && !(typeof id === "string" && id !== "")) throw new TypeError("the id is no string");
    const known = changedConfig({}, config);
    resolveOptions(known);
    return { topic: topic!, id, config: known };
  } catch (cause) {
    throw new NotALogStoreError(`${file} names no topic: it is damaged; restore it from a copy`, { file }, { cause });
  }
}

/** Makes a topic id, a UUID of version 4, from 16 bytes in hex. */
export function topicIdOf(hex: string): string {
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20),
  ];
  return groups.join("-");
}

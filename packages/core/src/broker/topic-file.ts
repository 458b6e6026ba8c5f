/** `topic.json`: a topic's name and what was said of it. */
import { NotALogStoreError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import { decodeJsonWithCrc, encodeJsonWithCrc } from "../files/checked-json.js";
import { TOPIC_FILE } from "../files/file-names.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { changedConfig } from "./topic-config.js";
import { checkTopicName } from "./topic-name.js";

export interface TopicFile {
  readonly topic: string;
  readonly config: TopicConfig;
}

export function writeTopicFile(storage: Storage, directory: string, content: TopicFile): Promise<void> {
  return writeFileAtomically(storage, directory, TOPIC_FILE, encodeJsonWithCrc(content));
}

/** Undefined where there is none: the directory is no topic's. @throws NotALogStoreError where it is damaged */
export async function readTopicFile(storage: Storage, directory: string): Promise<TopicFile | undefined> {
  const file = `${directory}/${TOPIC_FILE}`;
  const content = await readWholeFile(storage, file);
  if (content === undefined) return undefined;
  try {
    const { topic, config = {} } = decodeJsonWithCrc(content) as unknown as Partial<TopicFile>;
    checkTopicName(topic!);
    return { topic: topic!, config: changedConfig({}, config) };
  } catch (cause) {
    throw new NotALogStoreError(`${file} names no topic: it is damaged; restore it from a copy`, { file }, { cause });
  }
}

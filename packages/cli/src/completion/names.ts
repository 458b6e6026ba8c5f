/** Names of topics, groups, snapshots and profiles, for completion. */
import type { connect } from "@logstore/client";
import type { Context } from "../command/context.js";
import { openPlace } from "../place/open-place.js";
import { readProfiles } from "../place/profile-file.js";
import { type PlaceOptions, resolvePlace } from "../place/resolve-place.js";

/** Short, because the user waits for the completion. */
const TIMEOUT_MS = 1_500;

/**
 * Returns nothing if the place cannot be reached, because a shell shows no errors of completion.
 */
export async function namesOfKind(kind: string, words: readonly string[], { environment }: Context): Promise<string[]> {
  try {
    if (kind === "profile") return Object.keys((await readProfiles(environment)).profiles);
    const place = await openPlace(await resolvePlace(placeOptionsIn(words), environment), { timeoutMs: TIMEOUT_MS });
    try {
      return await namesIn(kind, place.client);
    } finally {
      await place.close();
    }
  } catch {
    return [];
  }
}

async function namesIn(kind: string, client: ReturnType<typeof connect>): Promise<string[]> {
  if (kind === "topic") return (await client.listTopics()).map(({ topic }) => topic);
  if (kind === "group") return (await client.listGroups()).map(({ group }) => group);
  if (kind === "snapshot") return (await client.listSnapshots()).map(({ snapshot }) => snapshot);
  return [];
}

const optionNames: Readonly<Record<string, keyof PlaceOptions>> = {
  "-s": "server",
  "--server": "server",
  "-d": "data",
  "--data": "data",
  "-p": "profile",
  "--profile": "profile",
  "--ca-file": "caFile",
  "--cert-file": "certFile",
  "--key-file": "keyFile",
  "--token-file": "tokenFile",
};

/**
 * Returns the options of the place among the words, so that names come from the place that the
 * command will use.
 */
export function placeOptionsIn(words: readonly string[]): PlaceOptions {
  const options: Record<string, string | boolean> = {};
  for (const [i, word] of words.entries()) {
    const [flag, value = words[i + 1]] = word.startsWith("--") ? word.split(/=(.*)/s, 2) : [word];
    if (flag === "--tls" || flag === "--no-tls") options["tls"] = flag === "--tls";
    const name = optionNames[flag!];
    if (name !== undefined && value !== undefined && (word.includes("=") || i + 1 < words.length - 1)) {
      options[name] = value;
    }
  }
  return options;
}

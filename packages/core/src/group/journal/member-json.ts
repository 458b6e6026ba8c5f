/**
 * JSON of members, in changes and in snapshots. Part of the disk format, which must not change; see
 * docs/format/groups.md.
 */
import { type Holdings, type Member, NEVER } from "../state/group-state.js";

export type ByTopic<Entry> = Record<string, Entry[]>;

/** The topic ids of the commits next to it, by topic. */
export type TopicIds = Readonly<Record<string, string>>;

/** Without a prototype, because `constructor` and `__proto__` are valid topic names. */
export function byTopic<Entry>(): ByTopic<Entry> {
  return Object.create(null) as ByTopic<Entry>;
}

export interface MemberJson {
  readonly id: string;
  readonly epoch: number;
  readonly instance?: string;
  readonly client: string;
  readonly topics: readonly string[];
  readonly sessionMs: number;
  readonly revokeMs: number;
  /** `since` is null if no commit counts any more. */
  readonly holdings: ByTopic<[partition: number, since: number | null, revokedAt?: number]>;
}

export function memberToJson(member: Member): MemberJson {
  const { memberId, epoch, instanceId, clientId, topics, sessionTimeoutMs, revokeTimeoutMs, holdings } = member;
  return {
    id: memberId,
    epoch,
    ...(instanceId !== undefined && { instance: instanceId }),
    client: clientId,
    topics,
    sessionMs: sessionTimeoutMs,
    revokeMs: revokeTimeoutMs,
    holdings: holdingsToJson(holdings),
  };
}

export function memberFromJson({
  id,
  epoch,
  instance,
  client,
  topics,
  sessionMs,
  revokeMs,
  holdings,
}: MemberJson): Member {
  return {
    memberId: id,
    epoch,
    instanceId: instance,
    clientId: client,
    topics,
    sessionTimeoutMs: sessionMs,
    revokeTimeoutMs: revokeMs,
    holdings: holdingsFromJson(holdings),
  };
}

function holdingsToJson(holdings: Holdings): MemberJson["holdings"] {
  const json: MemberJson["holdings"] = byTopic();
  for (const [topic, partitions] of holdings) {
    json[topic] = [...partitions].map(([partition, { since, revokedAt }]) => {
      const told = since === NEVER ? null : since;
      return revokedAt === undefined ? [partition, told] : [partition, told, revokedAt];
    });
  }
  return json;
}

function holdingsFromJson(json: MemberJson["holdings"]): Holdings {
  return new Map(
    Object.entries(json).map(([topic, partitions]) => [
      topic,
      new Map(partitions.map(([partition, since, revokedAt]) => [partition, { since: since ?? NEVER, revokedAt }])),
    ]),
  );
}

export function topicIdsToJson(ids: ReadonlyMap<string, string | undefined>): { readonly topicIds?: TopicIds } {
  const known = [...ids].filter((entry): entry is [string, string] => entry[1] !== undefined);
  return known.length > 0 ? { topicIds: Object.fromEntries(known) } : {};
}

/**
 * The totals of all groups and of each principal, compared with their limits. Growth beyond a limit
 * is refused; state that exceeds a lowered limit stays.
 */
import { getHeapStatistics } from "node:v8";
import { GroupLimitExceededError, InvalidArgumentError } from "@logstore/codec";
import { type GroupUsage, groupUsageKinds } from "./group-usage.js";

/**
 * Limits of consumer groups. The defaults are lower if the heap is small, so that all groups
 * together take less than half of it.
 */
export interface GroupLimits {
  /**
   * Number of groups, with or without members. Default 20,000; for a principal a quarter of that.
   */
  readonly maxGroups?: number | undefined;
  /** Number of members of all groups. Default 50,000; for a principal two fifths of that. */
  readonly maxMembers?: number | undefined;
  /**
   * Number of topics and patterns in all subscriptions. Default 1,000,000; for a principal a
   * quarter of that.
   */
  readonly maxSubscriptions?: number | undefined;
  /**
   * Number of partitions that members own in all groups. Default 10,000,000; for a principal half
   * of that.
   */
  readonly maxAssignments?: number | undefined;
  /**
   * Size of commits, in bytes: 128 for each, plus its metadata. Default 256 MiB; for a principal a
   * quarter of that.
   */
  readonly maxCommitBytes?: number | undefined;
}

/** Limits of consumer groups: of all of them together, and of those of one principal. */
export interface GroupLimitOptions {
  /** Limits of all groups together. */
  readonly groupLimits?: GroupLimits | undefined;
  /**
   * Limits of the groups that one principal created. Groups that were created without a principal
   * are exempt.
   */
  readonly groupLimitsPerPrincipal?: GroupLimits | undefined;
}

type Kind = (typeof groupUsageKinds)[number];
type Resolved = Readonly<Record<Kind, number>>;

const optionOf = {
  groups: "maxGroups",
  members: "maxMembers",
  subscriptions: "maxSubscriptions",
  assignments: "maxAssignments",
  commitBytes: "maxCommitBytes",
} as const satisfies Record<Kind, keyof GroupLimits>;

const textOf: Readonly<Record<Kind, string>> = {
  groups: "consumer groups",
  members: "members",
  subscriptions: "subscriptions",
  assignments: "assigned partitions",
  commitBytes: "bytes of commits",
};

/** The part of V8's reported heap limit that is reserved for young objects. */
const YOUNG_BYTES = 192 * 1024 * 1024;
const { heap_size_limit: heapLimit } = getHeapStatistics();
const HEAP_BYTES = Math.max(heapLimit - YOUNG_BYTES, heapLimit / 4);

/** @param each approximate size of one item, in bytes */
function withinHeap(limit: number, share: number, each: number): number {
  return Math.floor(Math.min(limit, (HEAP_BYTES * share) / each));
}

const DEFAULTS: Resolved = {
  groups: withinHeap(20_000, 1 / 16, 2048),
  members: withinHeap(50_000, 1 / 16, 4096),
  subscriptions: withinHeap(1_000_000, 1 / 16, 320),
  assignments: withinHeap(10_000_000, 1 / 8, 128),
  commitBytes: withinHeap(256 * 1024 * 1024, 1 / 8, 1),
};
const DEFAULTS_PER_PRINCIPAL: Resolved = {
  groups: Math.floor(DEFAULTS.groups / 4),
  members: Math.floor(DEFAULTS.members * 0.4),
  subscriptions: Math.floor(DEFAULTS.subscriptions / 4),
  assignments: Math.floor(DEFAULTS.assignments / 2),
  commitBytes: Math.floor(DEFAULTS.commitBytes / 4),
};

export class GroupTotals {
  readonly #limits: Resolved;
  readonly #limitsPerPrincipal: Resolved;
  readonly #all = none();
  readonly #byOwner = new Map<string, GroupUsage>();

  /** @throws InvalidArgumentError */
  constructor({ groupLimits = {}, groupLimitsPerPrincipal = {} }: GroupLimitOptions = {}) {
    this.#limits = resolve("groupLimits", groupLimits, DEFAULTS);
    this.#limitsPerPrincipal = resolve("groupLimitsPerPrincipal", groupLimitsPerPrincipal, DEFAULTS_PER_PRINCIPAL);
  }

  /** @param sign -1 to subtract */
  add(owner: string | undefined, usage: Readonly<Partial<GroupUsage>>, sign: 1 | -1 = 1): void {
    add(this.#all, usage, sign);
    if (owner === undefined) return;
    let ofOwner = this.#byOwner.get(owner);
    if (ofOwner === undefined) {
      ofOwner = none();
      this.#byOwner.set(owner, ofOwner);
    }
    add(ofOwner, usage, sign);
    if (groupUsageKinds.every((kind) => ofOwner[kind] === 0)) this.#byOwner.delete(owner);
  }

  /**
   * Counts what is about to be added, until it is released: by then it has been added, or was
   * refused for another reason.
   *
   * @throws GroupLimitExceededError
   */
  hold(owner: string | undefined, group: string, growth: Readonly<Partial<GroupUsage>>): () => void {
    check("of this server", group, this.#all, growth, this.#limits);
    if (owner !== undefined) {
      check("of one principal", group, this.#byOwner.get(owner) ?? none(), growth, this.#limitsPerPrincipal);
    }
    const held = { ...growth };
    for (const kind of groupUsageKinds) held[kind] = Math.max(0, held[kind] ?? 0);
    this.add(owner, held);
    return () => this.add(owner, held, -1);
  }
}

function none(): GroupUsage {
  return { groups: 0, members: 0, subscriptions: 0, assignments: 0, commitBytes: 0 };
}

function add(total: GroupUsage, usage: Readonly<Partial<GroupUsage>>, sign: 1 | -1): void {
  for (const kind of groupUsageKinds) total[kind] += sign * (usage[kind] ?? 0);
}

function check(
  whose: string,
  group: string,
  held: GroupUsage,
  growth: Readonly<Partial<GroupUsage>>,
  limits: Resolved,
): void {
  for (const kind of groupUsageKinds) {
    const more = growth[kind] ?? 0;
    if (more <= 0 || held[kind] + more <= limits[kind]) continue;
    throw new GroupLimitExceededError(
      `${textOf[kind]} ${whose} are limited to ${limits[kind]}, and group ${group} would make them ${held[kind] + more}: delete groups that are not needed, or raise ${optionOf[kind]}`,
      { group, expected: limits[kind], actual: held[kind] + more },
    );
  }
}

function resolve(option: string, limits: GroupLimits, defaults: Resolved): Resolved {
  const resolved: Record<Kind, number> = { ...defaults };
  for (const kind of groupUsageKinds) {
    const limit = limits[optionOf[kind]];
    if (limit === undefined) continue;
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new InvalidArgumentError(`${option}.${optionOf[kind]} is a whole number, not ${limit}`);
    }
    resolved[kind] = limit;
  }
  return resolved;
}

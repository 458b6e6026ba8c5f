/** Validation of members' requests. */
import { InvalidArgumentError } from "@logstore/codec";
import type { AssignorName, JoinGroupRequest } from "@logstore/protocol";
import { assignors } from "../assignors/assignors.js";

export const MAX_MEMBERS = 1000;
export const MAX_METADATA_BYTES = 4096;
const MAX_SUBSCRIPTIONS = 1000;
const MAX_NAME_LENGTH = 249;

const DEFAULT_SESSION_TIMEOUT_MS = 45_000;
const DEFAULT_REVOKE_TIMEOUT_MS = 60_000;
const MIN_TIMEOUT_MS = 100;
const MAX_TIMEOUT_MS = 24 * 3_600_000;
const MAX_HEARTBEAT_INTERVAL_MS = 5000;

const SUBSCRIPTION = /^[A-Za-z0-9._*-]{1,249}$/;

/** A join request with its defaults filled in. */
export interface Joining {
  readonly instanceId: string | undefined;
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly revokeTimeoutMs: number;
  readonly assignor: AssignorName | undefined;
}

/** @throws InvalidArgumentError */
export function checkJoin(request: JoinGroupRequest): Joining {
  const { memberId, instanceId, clientId = "", assignor } = request;
  const { sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS, revokeTimeoutMs = DEFAULT_REVOKE_TIMEOUT_MS } = request;
  checkGroupName(request.group);
  if (memberId !== undefined) checkMemberId(memberId);
  if (instanceId !== undefined) checkLength("instanceId", instanceId, 1);
  checkLength("clientId", clientId, 0);
  checkTimeout("sessionTimeoutMs", sessionTimeoutMs);
  checkTimeout("revokeTimeoutMs", revokeTimeoutMs);
  if (assignor !== undefined && !Object.hasOwn(assignors, assignor)) {
    const names = Object.keys(assignors).join(", ");
    throw new InvalidArgumentError(`there is no assignor ${JSON.stringify(assignor)}: use one of ${names}`);
  }
  return {
    instanceId,
    clientId,
    topics: checkSubscriptions(request.topics),
    sessionTimeoutMs,
    revokeTimeoutMs,
    assignor,
  };
}

/** Sorted and without duplicates. @throws InvalidArgumentError */
export function checkSubscriptions(topics: readonly string[]): string[] {
  if (topics.length > MAX_SUBSCRIPTIONS) {
    throw new InvalidArgumentError(
      `a member names ${MAX_SUBSCRIPTIONS} topics at most, not ${topics.length}: use a pattern`,
      { expected: MAX_SUBSCRIPTIONS, actual: topics.length },
    );
  }
  for (const topic of topics) {
    if (typeof topic === "string" && SUBSCRIPTION.test(topic)) continue;
    throw new InvalidArgumentError(
      `${JSON.stringify(String(topic).slice(0, 300))} is neither a topic's name nor a pattern: use 1 to 249 of A-Z a-z 0-9 . _ - and *`,
    );
  }
  return [...new Set(topics)].sort();
}

/** The rules for topic names apply. @throws InvalidArgumentError */
export function checkGroupName(group: string): void {
  checkName("group", group);
}

/**
 * Checked whether or not the topic exists, before its name is stored, compared or printed.
 *
 * @throws InvalidArgumentError
 */
export function checkTopic(topic: string): void {
  checkName("topic", topic);
}

function checkName(what: string, name: string): void {
  const isName = typeof name === "string" && /^[A-Za-z0-9._-]{1,249}$/.test(name) && name !== "." && name !== "..";
  if (isName) return;
  throw new InvalidArgumentError(
    `${JSON.stringify(String(name).slice(0, 300))} is no ${what} name: use 1 to 249 of A-Z a-z 0-9 . _ - and neither "." nor ".."`,
  );
}

function checkMemberId(memberId: string): void {
  if (typeof memberId === "string" && /^[A-Za-z0-9._-]{1,249}$/.test(memberId)) return;
  throw new InvalidArgumentError(
    `${JSON.stringify(String(memberId).slice(0, 300))} is no member id: use 1 to 249 of A-Z a-z 0-9 . _ -, a UUID for example`,
  );
}

/** @throws InvalidArgumentError */
export function checkRetention(offsetsRetentionMs: number | undefined): void {
  if (offsetsRetentionMs === undefined || (Number.isSafeInteger(offsetsRetentionMs) && offsetsRetentionMs >= 0)) return;
  throw new InvalidArgumentError(`offsetsRetentionMs is a whole number of ms, not ${offsetsRetentionMs}`);
}

/** Three heartbeats may be lost before the member is removed. */
export function heartbeatIntervalMs(sessionTimeoutMs: number): number {
  return Math.min(MAX_HEARTBEAT_INTERVAL_MS, Math.floor(sessionTimeoutMs / 3));
}

function checkLength(name: string, value: string, least: number): void {
  if (typeof value === "string" && value.length >= least && value.length <= MAX_NAME_LENGTH) return;
  throw new InvalidArgumentError(`${name} has ${least} to ${MAX_NAME_LENGTH} characters, not ${String(value).length}`);
}

function checkTimeout(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= MIN_TIMEOUT_MS && value <= MAX_TIMEOUT_MS) return;
  throw new InvalidArgumentError(`${name} is a whole number from ${MIN_TIMEOUT_MS} to ${MAX_TIMEOUT_MS}, not ${value}`);
}

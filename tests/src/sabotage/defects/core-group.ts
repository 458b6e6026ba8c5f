/** Defects of consumer groups. */
import { ASSIGNORS, COORDINATOR, GROUP_LOG, GROUPS, SIMULATION, SNAPSHOT_FILE, TURNS } from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreGroupDefects: readonly Defect[] = [
  ...within("core/group/decide/reconcile.ts", [TURNS, GROUPS, SIMULATION], {
    "gives before it was given up": [
      "if (memberId === undefined || takenOfTopic?.[partition] !== undefined) continue;",
      "if (memberId === undefined || takenOfTopic?.[partition] === memberId) continue;",
    ],
    "gives under the old epoch": [
      "gain.set(topic, partition, { since: draft.epoch, revokedAt: undefined });",
      "gain.set(topic, partition, { since: 0, revokedAt: undefined });",
    ],
    "does not take back what is meant for others": [
      "kept.set(topic, partition, { ...holding, revokedAt: draft.epoch });",
      "void holding;",
    ],
  }),
  ...within("core/group/decide/apply-input.ts", [TURNS, GROUPS, SIMULATION], {
    "takes an answer to something older": [
      "if (revokedAt !== undefined && memberEpoch >= revokedAt) kept.delete(topic, partition);",
      "if (revokedAt !== undefined) kept.delete(topic, partition);",
    ],
    "takes an answer for what was not asked for": [
      "if (revokedAt !== undefined && memberEpoch >= revokedAt) kept.delete(topic, partition);",
      "if (memberEpoch >= (revokedAt ?? 0)) kept.delete(topic, partition);",
    ],
    "a static member inherits what it was to give up": [
      "if (revokedAt === undefined) kept.set(topic, partition, { since: draft.epoch, revokedAt: undefined });",
      "kept.set(topic, partition, { since: draft.epoch, revokedAt });",
    ],
    "a static member comes back under the old epoch": [
      "if (revokedAt === undefined) kept.set(topic, partition, { since: draft.epoch, revokedAt: undefined });",
      "if (revokedAt === undefined) kept.set(topic, partition, { since: 0, revokedAt: undefined });",
    ],
    "a static member is told of topics that it does not name": ["if (!isWanted(member.topics, topic)) continue;", ""],
    "commits of a deleted topic's owner count": [
      "kept.set(topic, partition, { since: NEVER, revokedAt });",
      "kept.set(topic, partition, { since: 0, revokedAt });",
    ],
    "forgets nothing of a deleted topic": ["  draft.forgotten.push(topic);\n", ""],
  }),
  ...within("core/group/decide/turn-draft.ts", [TURNS, GROUPS, SIMULATION], {
    "shares out anew when a static member comes back": [
      "else this.successors.set(memberId, successor);",
      "else this.isStale = true;",
    ],
  }),
  ...within("core/group/decide/target.ts", [TURNS, GROUPS, SIMULATION], {
    "what is being given up counts as kept after a recovery": [
      "if (revokedAt === undefined) ownersOf(owners, topic)[partition] = member.memberId;",
      "ownersOf(owners, topic)[partition] = member.memberId;\n        void revokedAt;",
    ],
    "does not see that a topic is new": [
      "if (!draft.isStale && before !== undefined && hasShape(before, counts)) return before;",
      "if (!draft.isStale && before !== undefined) return before;",
    ],
  }),
  ...within("core/group/decide/take-turn.ts", [TURNS, GROUPS, SIMULATION], {
    "gains are written down before the losses": ["...[...losses, ...parts].map(", "...[...parts, ...losses].map("],
  }),
  ...within("core/group/decide/commits.ts", [GROUPS, COORDINATOR, SIMULATION], {
    "takes commits of older epochs": ["if (memberEpoch >= holding.since) return undefined;", "return undefined;"],
    "takes commits of whoever is a member": [
      "if (holding === undefined) {",
      "if (holding === undefined && memberEpoch < 0) {",
    ],
    "commits go back": ["if (offset >= committed) {", "if (offset >= 0) {"],
    "takes commits beyond the end": ["if (offset <= logEnd || damage", "if (offset <= logEnd + 1 || damage"],
    "takes commits of nobody while there are members": [
      "if (state === undefined || state.members.size === 0) return undefined;",
      "return undefined;",
    ],
  }),
  ...within("core/group/decide/resets.ts", [GROUPS, SIMULATION], {
    "a reset does not change the epoch": ["since: isKept ? epoch : NEVER", "since: isKept ? holding.since : NEVER"],
    "a reset leaves who gives up alone": ["since: isKept ? epoch : NEVER", "since: isKept ? epoch : holding.since"],
    "the owner keeps its old epoch": ["epoch: ofMember.length > 0 ? epoch : member.epoch", "epoch: member.epoch"],
  }),
  ...within("core/group/members/news.ts", [GROUPS, COORDINATOR, SIMULATION], {
    "who was away hears of no reset": [
      "if (since > knownEpoch && since !== NEVER && offset !== undefined)",
      "if (since > knownEpoch && since === NEVER && offset !== undefined)",
    ],
    "who was away hears only of resets of what it keeps": [
      "for (const [topic, partition, { since }] of holdingsOf(member)) {",
      "for (const [topic, partition, { since, revokedAt }] of holdingsOf(member)) {\n    if (revokedAt !== undefined) continue;",
    ],
    "who goes on is told the newest epoch first": [
      "joined: joinedOf(member, knownEpoch),",
      "joined: joinedOf(member, member.epoch),",
    ],
    "tells what is to be given up as owned": ["else partitions.push(", "if (partition >= 0) partitions.push("],
  }),
  ...within("core/group/journal/change-writer.ts", ["src/group/journal/change-writer.test.ts"], {
    "resends a view of what the log has": ["const copy = new Uint8Array(bytes);", "const copy = bytes.slice();"],
    "resends what the log has filled in": ["bytes = copyOfSealed(bytes);", "bytes = new Uint8Array(bytes);"],
  }),
  ...within("core/group/journal/member-json.ts", ["src/group/names.test.ts"], {
    "names are keys of an object with a prototype": ["Object.create(null) as ByTopic<Entry>", "{} as ByTopic<Entry>"],
  }),
  ...within("core/group/state/group-totals.ts", ["src/group/state/group-totals.test.ts"], {
    "groups grow beyond their limits": [
      "if (more <= 0 || held[kind] + more <= limits[kind]) continue;",
      "if (limits[kind] >= 0) continue;",
    ],
    "joins that are being decided do not count": ["    this.add(owner, held);\n", ""],
    "a principal has no limits": ["if (owner !== undefined) {", "if (owner === undefined) {"],
  }),
  ...within("core/group/members/members.ts", [COORDINATOR, GROUPS, SIMULATION, "src/group/names.test.ts"], {
    "a join that is said again makes another member": [
      "if (memberEpoch > 0 || this.#member(group, memberId) !== undefined) {",
      "if (memberEpoch > 0) {",
    ],
    "lets anybody come back with any epoch": [
      "if (memberEpoch < session.heardEpoch || memberEpoch > member.epoch) {",
      "if (memberEpoch > member.epoch) {",
    ],
    "a newer membership leaves the older one there": ["    session.membership?.finish();\n", ""],
    "members of before a crash have no session": ["        this.#sessions.add(session);\n", ""],
  }),
  ...within("core/group/members/notices.ts", [COORDINATOR, GROUPS, SIMULATION], {
    "tells before it is durable": [
      "  durable.then(\n    () => slices.add(deliver(notices)),\n    () => {},\n  );",
      "  slices.add(deliver(notices));\n  durable.catch(() => {});",
    ],
  }),
  ...within("core/group/members/turn-notices.ts", [COORDINATOR, GROUPS, SIMULATION], {
    "a membership is told before it has its turn": [
      "return membership.isWelcome ? [noticeOf(membership, news)] : [];",
      "return [noticeOf(membership, news)];",
    ],
  }),
  ...within("core/group/members/deadlines.ts", [COORDINATOR, GROUPS, SIMULATION], {
    "nobody is ever silent": [
      "if (at <= now) this.#expired(session, reason);",
      "if (at < 0) this.#expired(session, reason);",
    ],
  }),
  ...within("core/group/members/sessions.ts", [COORDINATOR, GROUPS, SIMULATION, "src/group/names.test.ts"], {
    "listens to an older membership": [
      "return session?.membership === membership ? session : undefined;",
      "return session;",
    ],
  }),
  ...within("core/group/commit-offsets.ts", [COORDINATOR, GROUPS], {
    "answers a commit before it is durable": [
      "return { results, durable: durable.then(() => [...results]) };",
      "durable.catch(() => {});\n  return { results, durable: Promise.resolve([...results]) };",
    ],
  }),
  ...within("core/group/recover-groups.ts", [COORDINATOR, GROUPS, "src/broker/topic-id.test.ts"], {
    "does not look at the topics after a recovery": [
      '    if (state.members.size > 0) members.input(group, { type: "topicsChanged" });\n',
      "",
    ],
    "commits beyond a log that lost its end stay": [
      "if (offset > logEnd) beyond.push({ topic, topicId: topics.id(topic), partition, offset: logEnd });",
      "",
    ],
    "counts what was committed for another topic of that name": [
      "!topics.mayExist(topic) || isOfAnother(state, topic, topics)",
      "!topics.mayExist(topic)",
    ],
  }),
  ...within("core/group/expiry.ts", [COORDINATOR, GROUPS], {
    "keeps groups for ever": [
      "if (emptySince === undefined || emptySince + this.#retentionMs > at) continue;",
      "if (emptySince === undefined || emptySince + this.#retentionMs >= 0) continue;",
    ],
  }),
  ...within("core/group/journal/journal.ts", [COORDINATOR], {
    "goes on after the disk failed": ['this.fail(storageError(error, "the groups\' log failed"));', ""],
  }),
  ...within("core/group/time/clock.ts", [COORDINATOR], {
    "counts the time in which it was stopped": ["this.#awayMs += now - this.#expectedBy;", ""],
  }),
  ...within("core/group/members/session.ts", [COORDINATOR, GROUPS], {
    "waits for ever for what is to be given up": ["if (overdue < silent) {", "if (overdue < 0) {"],
    "begins to wait anew with each answer": [
      "for (const epoch of epochs) if (!session.toldAt.has(epoch)) session.toldAt.set(epoch, now);",
      "for (const epoch of epochs) session.toldAt.set(epoch, now);",
    ],
  }),
  ...within("core/group/members/membership.ts", [GROUPS], {
    "an assignment comes before the reset": [
      "const event = this.#joined ?? this.#resets ?? this.#assignment;",
      "const event = this.#joined ?? this.#assignment ?? this.#resets;",
    ],
    "a second reset replaces the first": [
      "this.#resets = this.#resets === undefined ? resets : both(this.#resets, resets)",
      "this.#resets = resets",
    ],
  }),
  ...within("core/group/journal/group-log.ts", [GROUP_LOG], {
    "a snapshot is ahead of the log": [
      "const ready = () => this.#writer.settled();",
      "const ready = () => Promise.resolve();",
    ],
    "skips what the snapshot has not": ["readRecords(log, Math.max(logStart, from))", "readRecords(log, upTo)"],
    "deletes the log before the snapshot is there": [
      "this.#lastSnapshotBytes = await writeSnapshot(this.#store, from, this.#encoded(), ready);\n    await log.deleteRecords(from);",
      "await ready();\n    await log.deleteRecords(from);\n    this.#lastSnapshotBytes = await writeSnapshot(this.#store, from, this.#encoded(), ready);",
    ],
    "takes a missing snapshot for an empty one": [
      "if (logStart > from) throw",
      'if (logStart > from && found === "damaged") throw',
    ],
  }),
  ...within("core/group/journal/snapshot-file.ts", [SNAPSHOT_FILE, GROUP_LOG], {
    "does not count the groups": ["isWhole = piece.groups === count;", "isWhole = true;"],
  }),
  ...within("core/group/lag.ts", [GROUPS], {
    "the lag of what is deleted counts": [
      "behindGap(Math.max(committed ?? logStart, logStart), gaps)",
      "behindGap(committed ?? logStart, gaps)",
    ],
  }),
  ...within("core/group/assignors/sticky.ts", [ASSIGNORS, SIMULATION], {
    "shares are left uneven": ["    yield* evenOut(shares, wanting);\n", ""],
    "shares of members that want the same are left uneven": ["    yield* evenOutAlike(shares);\n", ""],
    "nobody keeps anything": [
      "if (keeper?.member.topics.has(topic)) give",
      "if (keeper?.member.topics.has(topic) && keeper.count < 0) give",
    ],
  }),
  ...within("core/group/assignors/uneven-wants.ts", [ASSIGNORS], {
    "evens out between neighbours only": ["    level = next;", "    level = [];\n    void next;"],
    "takes a share that nobody can take of directly for even": [
      " ?? (yield* pathToLess(most, shares.length, wanting))",
      "",
    ],
  }),
];

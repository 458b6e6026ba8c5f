/**
 * Defects in the JetStream engine. Without a NATS server its tests are skipped, and detect nothing.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import { type Defect, within } from "./defect.ts";

const FENCE = ["test/fence.test.ts"];
const MESSAGES = ["test/messages.test.ts"];
const CONTRACT = ["test/engine-contract.test.ts"];
const CLUSTER = ["test/cluster.test.ts"];
const LOST = ["test/lost-and-late.test.ts"];
const READ_AHEAD = ["test/read-ahead.test.ts"];
const ZOMBIE = ["test/zombie.test.ts"];
const DURABILITY = ["test/durability.test.ts"];
const CONNECTING = ["test/connecting.test.ts"];
const LOST_REQUESTS = ["test/lost-requests.test.ts"];
const LOST_QUORUM = ["test/lost-quorum.test.ts"];
const OWNERS = ["src/cluster/owners-record.test.ts"];

export const engineJetStreamDefects: readonly Defect[] = [
  ...within("engine-jetstream/nats/partition-stream.ts", FENCE, {
    "publishes without the expected sequence": ["if (after !== undefined) all.set", "if (after === -1) all.set"],
  }),
  ...within("engine-jetstream/partition/fenced-stream.ts", FENCE, {
    "takes every failed publish for a fence": [
      "const isOwn = Number(follows.header.get(EPOCH_HEADER)) === owner.epoch;",
      "const isOwn = false;",
    ],
    "takes the message of another owner for its own": [
      "if (isOwn && follows.seq === owner.lastSequence + 1) return follows.seq;",
      "if (isOwn || follows.seq > 0) return follows.seq;",
    ],
    "goes on after a sequence of its own invention": [
      "        owner.lastSequence = sequence;",
      "        owner.lastSequence = owner.lastSequence + 2;",
    ],
    "confirms an owner that was taken over": [
      "!== undefined) throw new FencedError();",
      "=== null) throw new FencedError();",
    ],
  }),
  ...within("engine-jetstream/partition/take-over.ts", [...FENCE, ...MESSAGES], {
    "begins after the state record's successor": ["(state?.seq ?? 0) + 1, epoch", "(state?.seq ?? 0) + 2, epoch"],
    "forgets the state record": ["state === undefined ? EMPTY_STATE : decodeState(state)", "EMPTY_STATE"],
  }),
  ...within("engine-jetstream/partition/owner.ts", [...FENCE, ...CONTRACT], {
    "forgets the producers of what it replays": [
      "this.producers.appended(batch);\n    this.producers.written();",
      "void batch;",
    ],
    "keeps the former log end": ["    this.logEnd = nextOffset;\n", ""],
  }),
  ...within("engine-jetstream/partition/writer.ts", FENCE, {
    "refuses because of what it knew before": [
      "if (isRefused && batches.length === 0)",
      "if (isRefused && batches.length < 0)",
    ],
    "lets callers wait without a limit": [
      "const expired = [...current, ...this.#queue.takeExpired(now)];",
      "const expired = [current][1] ?? [];",
    ],
  }),
  ...within("engine-jetstream/partition/writer.ts", CONTRACT, {
    "moves the log start before that is durable": [
      "      await this.#storeState(owner);\n      this.#offsets.startAt(offset);",
      "      this.#offsets.startAt(offset);",
    ],
    "does not wake readers": [
      "    this.#source.add(message);\n    this.#offsets.wrote(owner.logEnd);\n    this.#offsets.publish();",
      "    this.#source.add(message);\n    this.#offsets.wrote(owner.logEnd);",
    ],
  }),
  ...within("engine-jetstream/partition/group-commit.ts", MESSAGES, {
    "makes messages of any size": [
      "if (together.length > 0 && (isOfAnotherTime || bytes + batch.byteLength > maxBytes))",
      "if (together.length > 0 && isOfAnotherTime)",
    ],
  }),
  ...within("engine-jetstream/partition/stream-bounds.ts", [...CONTRACT, ...MESSAGES], {
    "purges the message of the log start offset": [
      "await stream.purgeBefore(sequence);",
      "await stream.purgeBefore(sequence + 1);",
    ],
    "purges the last data message": [
      "const sequence = Math.min(first, data.seq, state.seq);",
      "const sequence = state.seq;",
    ],
  }),
  ...within("engine-jetstream/catalogue/jetstream-catalogue.ts", CONTRACT, {
    "alters without a revision": [
      "=== undefined) continue;\n      topic.altered",
      "=== null) continue;\n      topic.altered",
    ],
    "deletes the successor of a topic": ["if (stored?.record.id !== id) return;", "if (stored === undefined) return;"],
  }),
  ...within("engine-jetstream/nats/bucket.ts", CONTRACT, {
    "sets a key whatever its revision": [
      "all.set(PubHeaders.ExpectedLastSubjectSequenceHdr",
      "if (revision < 0) all.set(PubHeaders.ExpectedLastSubjectSequenceHdr",
    ],
  }),
  ...within("engine-jetstream/cluster/cluster-view.ts", CLUSTER, {
    "never calls a lease expired": ["const EXPIRED_AFTER_RENEWALS = 4;", "const EXPIRED_AFTER_RENEWALS = 4_000;"],
    "gives partitions to a broker that drains": ["!this.#leases.get(broker)!.isDraining", "this.#leases.has(broker)"],
  }),
  ...within("engine-jetstream/cluster/own-lease.ts", CLUSTER, {
    "trusts its lease for ever": [
      "return performance.now() < this.#validUntil && !this.#isOver;",
      "return !this.#isOver;",
    ],
    "takes the lease of another process for its own": [
      "if (entry === undefined || decodeLease(",
      "if (entry !== undefined || decodeLease(",
    ],
  }),
  ...within("engine-jetstream/partition/ownership.ts", CLUSTER, {
    "does not name the owner": ["const address = ownership.address();", "const address = undefined;"],
  }),
  ...within("engine-jetstream/partition/jetstream-log.ts", CLUSTER, {
    "appends to what another broker owns": [
      "if (this.#ownership.term() === undefined) throw notOwner(this.partition, this.#ownership);",
      "void notOwner;",
    ],
    "answers from memory after another broker was the owner": [
      "return term === this.#confirmedTerm ? undefined : this.#confirm(owner, term);",
      "return undefined;",
    ],
  }),
  ...within("engine-jetstream/partition/current-owner.ts", LOST, {
    "takes a journal over again": [
      "(ownership.takesOverAgain || !this.#tookOver)",
      "(ownership.takesOverAgain || this.#tookOver !== undefined)",
    ],
    "remembers messages that the stream has lost": ["this.#source.forget();", ""],
    "does not see that records are gone": ["if (owner.logEnd < knownEnd) {", "if (owner.logEnd < 0) {"],
  }),
  ...within("engine-jetstream/journal/snapshot-store.ts", CLUSTER, {
    "replaces the snapshot of a later owner": ["current.epoch > epoch", "current.epoch < 0"],
  }),
  ...within("engine-jetstream/partition/fenced-stream.ts", LOST, {
    "sends other bytes the second time": [
      "await this.#storeOnce(message, owner, attempt);",
      "await this.#storeOnce(attempt > 0 ? { ...message, headers: {} } : message, owner, attempt);",
    ],
    "sends for ever to a stream that has lost its tail": [
      "contradictions === MOST_CONTRADICTIONS",
      "contradictions < 0",
    ],
    "acknowledges what was not stored": [
      "if (follows === undefined) return why;",
      "if (follows === undefined) return owner.lastSequence + 1;",
    ],
  }),
  ...within("engine-jetstream/partition/writer.ts", LOST, {
    "has several messages in flight": [
      "await this.#storeData(owner, together);",
      "void this.#storeData(owner, together).catch(() => {});",
    ],
    "acknowledges before the message is stored": [
      "    for (const together of commits(",
      "    settle();\n    for (const together of commits(",
    ],
    "moves the log start back": ["if (offset > owner.logStart)", "if (offset !== owner.logStart)"],
  }),
  ...within("engine-jetstream/partition/take-over.ts", LOST, {
    "takes what a replica does not show for the end": [
      "    if (found[0]?.seq !== next) {",
      "    if (found.length === 0) return;\n    if (found[0]?.seq !== next) {",
    ],
    "uses the epoch of the owner before": [
      "const epoch = await storeEpoch(stream, broker);",
      'const epoch = (await stream.last("epoch"))?.seq ?? (await storeEpoch(stream, broker));',
    ],
    "does not look at who wrote what it replays": ["if (data.epoch !== writer)", "if (data.epoch > data.sequence)"],
    "passes over a missing message": ["if (atLeader?.seq !== next) throw", "if (atLeader === undefined) throw"],
    "takes an old state for damage": [" || (state !== undefined && state.seq > sequence)", ""],
  }),
  ...within("engine-jetstream/partition/take-over.ts", LOST_REQUESTS, {
    "asks once for a new epoch": ["if (!isUnanswered(error)) throw error;", "if (error !== undefined) throw error;"],
  }),
  ...within("engine-jetstream/nats/partition-stream.ts", LOST_REQUESTS, {
    "asks once for messages": ["{ firstMs: FIRST_ATTEMPT_MS, timeoutMs, arrived }", "{ timeoutMs, arrived }"],
  }),
  ...within("engine-jetstream/nats/ask-again.ts", LOST_REQUESTS, {
    "gives up what nobody hears": ["if (!isUnheard(error) || performance", "if (error !== undefined || performance"],
  }),
  ...within("engine-jetstream/nats/failures.ts", LOST_REQUESTS, {
    "takes an unheard read for a failed one": [" || hasStatus(error, NO_RESPONDERS)", ""],
    "waits for no leader that is to be elected": [" || isUnheard(error)) return true;", ") return true;"],
  }),
  ...within("engine-jetstream/partition/jetstream-reader.ts", LOST, {
    "goes on reading where the log was cut": ["offsets.wasCutBefore(this.#offset, this.#timesCut)", "false"],
  }),
  ...within("engine-jetstream/partition/owner.ts", LOST, {
    "replays a message that does not continue the log": ["if (message.baseOffset !== this.logEnd ||", "if ("],
  }),
  ...within("engine-jetstream/partition/message-source.ts", LOST, {
    "trusts a replica that lags": ["if (messages.length === 0) {", "if (messages.length < 0) {"],
    "searches past the message": [
      "else low = message.sequence + 1;\n    }\n    for",
      "else low = message.sequence + 2;\n    }\n    for",
    ],
    "begins again with the message that was read": ["holds(near) ? near.sequence : near.sequence + 1", "near.sequence"],
  }),
  ...within("engine-jetstream/partition/messages-ahead.ts", READ_AHEAD, {
    "reads ahead only once": ["    this.#isReading = false;\n", ""],
    "tells nobody what has arrived": [
      "      this.#last = placeOf(message);\n      this.#proceed();",
      "      this.#last = placeOf(message);",
    ],
    "reads ahead what is in memory": ["next = this.#source.cached(last.nextOffset);", "next = undefined;"],
    "does not wait for what is being read": ["await this.#progress.promise;", "return;"],
  }),
  ...within("engine-jetstream/partition/message-cache.ts", READ_AHEAD, {
    "reads ahead without a limit": ["this.#maxBytes / 2) return undefined", "this.#maxBytes / 2) return () => {}"],
  }),
  ...within("engine-jetstream/partition/stream-bounds.ts", LOST, {
    "purges the last state record": ["Math.min(first, data.seq, state.seq)", "Math.min(first, data.seq)"],
    "purges although the message of the log start offset is not found": [
      "each.nextOffset > logStart))?.sequence;",
      "each.nextOffset > logStart))?.sequence ?? data.seq;",
    ],
  }),
  ...within("engine-jetstream/partition/jetstream-log.ts", LOST, {
    "purges before the deletion is stored": [
      "if (offset <= offsets.logStart) return;",
      "if (offset <= offsets.logStart) return;\n    await purgeDeleted(this.#stream, this.#source, { ...this.offsets, logStart: offset, highWatermark: offset + 1 } as never);",
    ],
  }),
  ...within("engine-jetstream/catalogue/jetstream-catalogue.ts", ZOMBIE, {
    "deletes the streams of a topic that may exist": [
      "      mayExist = true; // from now on, unless the key is refused\n",
      "",
    ],
  }),
  ...within("engine-jetstream/journal/snapshot-store.ts", ZOMBIE, {
    "deletes a snapshot that may be the current one": [
      "      mayBeCurrent = true; // from now on, unless the key is refused\n",
      "",
    ],
  }),
  ...within("engine-jetstream/nats/sync-check.ts", DURABILITY, {
    "takes any answer for a server that syncs always": [
      "if (varz.jetstream?.config?.sync_always !== true)",
      "if (varz.jetstream === null)",
    ],
  }),
  ...within("engine-jetstream/jetstream-engine.ts", DURABILITY, {
    "acknowledges as flushed after a server has answered no": [
      'this.#offered.durabilities = this.#offered.durabilities.filter((each) => each !== "flushed");',
      "void this.#offered.durabilities;",
    ],
  }),
  ...within("engine-jetstream/partition/jetstream-log.ts", DURABILITY, {
    "calls a topic healthy that cannot be flushed": [
      "this.#health.isLost || (this.#context.notFlushed !== undefined && isFlushed())",
      "this.#health.isLost && isFlushed()",
    ],
  }),
  ...within("engine-jetstream/partition/fenced-stream.ts", CONNECTING, {
    "sends a message that does not fit for ever": [
      'isPayloadTooLarge(error) ? "too_large" : "lost"',
      'isPayloadTooLarge(error) ? "lost" : "lost"',
    ],
  }),
  ...within("engine-jetstream/nats/nats.ts", CONNECTING, {
    "does not follow max_payload": [
      "last = connection.info?.max_payload ?? last;",
      "last += 0 * connection.stats().inMsgs;",
    ],
  }),
  ...within("engine-jetstream/partition/stream-health.ts", LOST_QUORUM, {
    "tells nobody of a lost quorum": ["this.#options.changed(isLost, error);", "void error;"],
  }),
  ...within("engine-jetstream/cluster/own-lease.ts", LOST_REQUESTS, {
    "waits for the answer to a renewal until the lease has ended": [
      "this.#revision, this.#thirdMs);",
      "this.#revision, 3 * this.#thirdMs);",
    ],
  }),
  ...within("engine-jetstream/nats/ask-again.ts", ["src/nats/ask-again.test.ts"], {
    "hears only the last attempt": [
      "const answer = await ask();",
      "const own = next;\n      const answer = await ask();\n      if (next !== own) return;",
    ],
  }),
  ...within("engine-jetstream/cluster/own-lease.ts", LOST_QUORUM, {
    "does not tell that the lease has ended": [
      "this.#expiry = startTimer(leftMs, () => this.#noteValidity()",
      "this.#expiry = startTimer(leftMs, () => {}",
    ],
  }),
  ...within("engine-jetstream/cluster/owners-record.ts", OWNERS, {
    "stores owners that are too large": [
      "if (value.length <= maxBytes) return value;",
      "if (maxBytes > 0) return value;",
    ],
  }),
  ...within("engine-jetstream/cluster/controller.ts", OWNERS, {
    "keeps silent about owners that cannot be stored": [".catch(this.#options.failed);", ".catch(() => {});"],
  }),
];

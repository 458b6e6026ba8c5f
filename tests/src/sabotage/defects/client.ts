/** Defects of the client's groups and appends. */
import { type Defect, within } from "./defect.ts";

const GROUP = ["src/consumer/consumer.test.ts"];
const RUN = ["src/run/run.test.ts"];

export const clientDefects: readonly Defect[] = [
  ...within("client/reader/partition-fetcher.ts", ["src/reader/reader.test.ts"], {
    "passes over a gap that nobody told of": [
      "        if (batch.baseOffset > this.#nextOffset) throw this.#gapError(this.#nextOffset, batch.baseOffset);",
      "",
    ],
    "passes over what is before a gap": [
      "      if (event.firstOffset > this.#nextOffset) throw this.#gapError(this.#nextOffset, event.firstOffset);",
      "",
    ],
    "does not go on behind a gap": [
      "      if (event.nextOffset > this.#nextOffset) await this.#moveTo(event.nextOffset);",
      "",
    ],
    "tells nobody what was skipped": ["this.state.skipped(this.#nextOffset, offset);", ";"],
  }),
  ...within("client/reader/partition-fetcher.ts", ["src/reader/read-ahead.test.ts"], {
    "keeps room where nothing comes": [
      "    await this.#readAhead.turn();\n    if (hasCaughtUp) this.#readAhead.caughtUp();",
      "    await this.#readAhead.turn();",
    ],
  }),
  ...within("client/producer/send-many.ts", ["src/producer/producer.test.ts"], {
    "takes the first response for the first record": ["range.offset = Math.min(range.offset, offset);", ""],
  }),
  ...within("client/group/owned-partition.ts", GROUP, {
    "does not commit past a gap": ["    if (isProcessed) this.processed = this.position;", ""],
    "commits past a gap what is in hand": [
      "    if (isProcessed) this.processed = this.position;",
      "    this.processed = this.position;",
    ],
  }),
  ...within("client/group/in-flight.ts", GROUP, {
    "commits what was moved away from": [
      "if (partition === undefined || !this.#counts) return;",
      "if (partition === undefined) return;",
    ],
    "gives up what is in hand": ["while (this.isBusyWith(partition)) await", "if (this.isBusyWith(partition)) void"],
  }),
  ...within("client/group/rebalance.ts", GROUP, {
    "does not acknowledge again what is gone": ["if (gone.length > 0) this.#steps.acknowledge(gone);", ""],
    "reads what comes back while it is worked on": ["Promise.all(gone)", "Promise.all([])"],
    "commits what is lost": ["      one.lose();\n", ""],
    "counts what is in hand after a reset": ["    this.#inFlight.forget(owned);\n    owned.moveTo", "    owned.moveTo"],
    "gives up twice when it leaves": ["if (isStillOurs() && !this.#isOver)", "if (isStillOurs())"],
  }),
  ...within("client/group/group-session.ts", GROUP, {
    "comes back as the member that is out": ["          this.#memberId = randomUUID();\n", ""],
    "leaves it to the server to choose an id": ["memberId: this.#memberId, memberEpoch: this.#memberEpoch });", "});"],
    "does not leave without a connection": ["if (!this.#isMember || signal.aborted) return;", "return;"],
    "ends with the refusal of its rejoin": ["#rejoinToLeave(signal).catch(() => {});", "#rejoinToLeave(signal);"],
    "asks to leave a group that refused it": ["      this.#stop.abort(); // a request", "      // a request"],
    "sends no heartbeats": [
      "startInterval(event.heartbeatIntervalMs, () => membership.heartbeat())",
      "startInterval(event.heartbeatIntervalMs, () => {})",
    ],
  }),
  ...within("client/group/committer.ts", GROUP, {
    "takes an old epoch for the last word": ["if (refused.length === 0) return results;", "return results;"],
    "commits as nobody": ["if (member === undefined) throw", "if (member === undefined && offsets.length === 0) throw"],
    "lets commits overtake each other": ["const result = this.#last.then(work);", "const result = work();"],
  }),
  ...within("client/group/start-positions.ts", GROUP, {
    "begins where a reset was not": [
      "if (found === undefined || state.position !== undefined) return;",
      "if (found === undefined) return;",
    ],
    "skips what is gone silently": ["if (nearest !== committed) state.skipped(committed, nearest);", ""],
  }),
  ...within("client/group/group-reader.ts", GROUP, {
    "commits before the hook": [
      "        if (onRevoked !== undefined) await this.#hooks",
      "        if (!this.#isManual) await this.#commitIfPossible(announced);\n        if (onRevoked !== undefined) await this.#hooks",
    ],
    "commits by itself where that is done by hand": [
      "        if (!this.#isManual) await this.#commitIfPossible(announced);",
      "        await this.#commitIfPossible(announced);",
    ],
    "says that it left before it did": ["await this.#session.leave(leave);", "void this.#session.leave(leave);"],
  }),
  ...within("client/run/partition-work.ts", RUN, {
    "takes an old outcome for a new one": ["    if (use.aborted || isReleased) return;\n", ""],
    "commits past what is not done": [
      "this.#pending.values().next().value ?? this.owned.position",
      "this.owned.position",
    ],
    "loses what waits behind its key": ["      waiting.push(task);\n", ""],
    "works on a key twice at a time": ["isFirst: waiting === undefined", "isFirst: true"],
    "tells no handler of the end": ["  finish(): void {\n    this.#handlers.abort();", "  finish(): void {"],
  }),
  ...within("client/run/runner.ts", RUN, {
    "begins what is not its own any more": [
      "if (partition.stopped.aborted || task.use.aborted) return this.#slots.release(slot);",
      "",
    ],
    "parks what is somebody else's": [
      "        if (task.use.aborted || (task.signal.aborted && !isFinal)) return;\n",
      "",
    ],
    "commits before it has parked": [
      "if (await this.#giveUp(task, error, attempt)) partition.done(task);",
      "void this.#giveUp(task, error, attempt).catch(() => {});\n          partition.done(task);",
    ],
    "tries again what will never fit": ["isFinal: isOwnDecodingError(error, record.offset)", "isFinal: false"],
    "hands out of what is paused": [
      "while (partition.resumed !== undefined) {",
      "while (partition.resumed === null) {",
    ],
    "leaves out the record whose handler commits": ["    task?.partition.done(task);\n", ""],
    "waits for a handler that waits for the end": ["    task.partition.ended();", ""],
  }),
  ...within("client/run/held-records.ts", RUN, {
    "holds any number of records": ["this.#records >= maxInFlightRecords || ", ""],
    "holds any number of bytes": [" || this.#bytes >= maxInFlightBytes", ""],
    "has what is paused take room": ["    this.#count(-work.heldRecords, -work.heldBytes);\n", ""],
  }),
  ...within("client/producer/partition-appender.ts", ["src/producer/append.test.ts"], {
    "goes on in a sequence with a hole": ["      this.#sequence.startAnew();", "      //"],
    "lets appends overtake each other": ["this.#last.then(async () =>", "Promise.resolve().then(async () =>"],
    "sends what is late": ["if (attempt.isLate || ", "if ("],
  }),
  ...within("client/producer/delivery.ts", ["src/producer/append.test.ts", "src/producer/producer.test.ts"], {
    "sends bytes again that the log has written into": ["isFirstTry ? sealed : copyOfSealed(sealed)", "sealed"],
    "waits for an answer beyond the deadline": ["() => reject(late())", "() => void late"],
  }),
  ...within("client/producer/append-budget.ts", ["src/producer/append.test.ts"], {
    "holds any number of appends": ["this.#usedBytes + bytes > this.#maxBytes", "bytes === Infinity"],
  }),
  ...within("client/producer/append-attempt.ts", ["src/producer/append.test.ts"], {
    "does not wait as long as it is told": ["const pauseMs = retryDelayMs(tries, error);", "const pauseMs = 1;"],
  }),
  ...within("client/parked/parked-records.ts", ["src/parked/parked-records.test.ts"], {
    "replays into whatever topic has the name": [
      "else await producers.send(parked, this.#replayed(parked));",
      "else await producers.send({ topic: parked.topic }, this.#replayed(parked));",
    ],
    "puts back into whatever topic has the name": [
      "await producers.send({ topic: this.topic, topicId }, record);",
      "await producers.send({ topic: this.topic }, record);",
    ],
    "deletes what was replayed from whatever topic has the name": [
      "await this.#api.deleteRecords(this.topic, 0, done, { topicId });",
      "await this.#api.deleteRecords(this.topic, 0, done);",
    ],
    "deletes what an earlier replay left from whatever topic has the name": [
      "await this.#api.deleteRecords(this.topic, 0, from, { topicId });",
      "await this.#api.deleteRecords(this.topic, 0, from);",
    ],
  }),
  ...within("client/common/caller.ts", ["src/common/caller.test.ts"], {
    "takes the stack traces of any engine for V8's": [
      "return Array.isArray(traced.stack) ? (traced.stack as Frame[]) : [];",
      "return traced.stack as Frame[];",
    ],
  }),
  ...within("client/group/closing-time.ts", RUN, {
    "waits for ever": ["    this.#timers = stages.map(([stage, ms]) => startTimer(ms, () => stage.abort()));\n", ""],
  }),
  ...within("client/reader/pull-iterator.ts", ["src/consumer/close-in-loop.test.ts"], {
    "does not know the body of a loop before its second turn": ["        body?.enter();\n", ""],
  }),
  ...within("client/common/caller.ts", ["src/consumer/close-in-loop.test.ts"], {
    "takes a function that still waits for the body": [" || position === waited.position", ""],
    "takes another call of the same function for the body": [
      ".every((frame, k) => isSame(frame, awaiting[k]!))",
      ".every(() => true)",
    ],
  }),
  ...within("client/group/group-reader.ts", ["src/consumer/close-in-loop.test.ts"], {
    "waits for a hook that waits for the end": ["    this.#hooks.release();\n", ""],
  }),
  ...within("client/reader/merge.ts", ["src/options.test.ts"], {
    "goes on waiting where nothing is left to read": [
      "    this.#wake?.(); // if it was the last partition, and is at its end, the iteration ends\n",
      "",
    ],
  }),
  ...within("client/grpc/check-answer.ts", ["src/grpc/check-answer.test.ts", "src/grpc/produce-channel.test.ts"], {
    "believes any offset": ["(Number.isSafeInteger(offset) && offset >= 0)", "Number.isFinite(offset)"],
    "believes any number of answers": ["if (answers.length === expected) return answers;", "return answers;"],
  }),
  ...within("codec/timer.ts", ["src/timer.test.ts"], {
    "turns never into at once": [
      "  if (ms === Number.POSITIVE_INFINITY) return { cancel() {}, keepAlive() {} };\n",
      "",
    ],
    "forgets the rest of a long delay": [
      "setTimeout(left > 0 ? wait : callback, delay)",
      "setTimeout(callback, delay)",
    ],
  }),
  ...within("client/producer/waiters.ts", ["src/producer/producer.test.ts"], {
    "takes neighbours for one caller": ["if (this.#last?.waiter === waiter)", "if (this.#last !== undefined)"],
    "takes a run that failed for one record": ["waiter.reject(error, count);", "waiter.reject(error, 1);"],
  }),
  ...within("client/producer/single-acks.ts", ["src/producer/producer.test.ts"], {
    "gives each record the offset of the first": ["offset: at, nextOffset: ++at", "offset, nextOffset: offset + 1"],
  }),
  ...within("client/producer/divided-acks.ts", ["src/producer/topic-limits.test.ts"], {
    "gives each record the offset of the first": ["offset: at, nextOffset: ++at", "offset, nextOffset: offset + 1"],
    "gives each part the same records": ["slice(end - count, end)", "slice(0, count)"],
  }),
  ...within("client/producer/waiters.ts", ["src/producer/topic-limits.test.ts"], {
    "gives a part the records of another": ["        room -= taken;\n", ""],
    "settles a batch that is split as a whole": ["pieces.length === 1", "pieces.length > 0"],
  }),
  ...within("client/producer/partition-sender.ts", ["src/producer/producer.test.ts"], {
    "lingers while its producer waits": ["if (this.#options.lingerMs > 0) this.hurry();", ""],
  }),
  ...within("client/producer/buffer-budget.ts", ["src/producer/producer.test.ts"], {
    "is ready however much waits": [", busyBytes)", ")"],
    "waits for each long record": ["    if (bytes > this.#batchBytes) this.#batchBytes = bytes;\n", ""],
    "counts records for ever": ["    this.#usedBytes -= bytes;\n", ""],
  }),
  ...within("client/producer/sticky-partition.ts", ["src/producer/producer.test.ts"], {
    "stays where its batch has left": ["!hasOpenBatch || ", ""],
    "stays where there is enough": [" || this.#bytes + bytes > this.#batchBytes", ""],
  }),
  ...within("client/reader/read-ahead.ts", ["src/reader/read-ahead.test.ts"], {
    "admits all at once": [
      "if (this.#usedBytes > 0 && this.#usedBytes + share.wantedBytes > this.#maxBytes) return;",
      "",
    ],
    "never ends a turn": ["return this.#turnBytes >= TURN_BYTES && this.#readAhead.hasWaiting;", "return false;"],
    "holds whatever comes": ["if (this.#reservedBytes < bytes && this.#readAhead.isOverfull) return false;", ""],
  }),
  ...within("client/producer/append-topics.ts", ["src/producer/topic-limits.test.ts"], {
    "does not learn the topic's limit": [
      "const { maxBatchBytes = defaultBatchLimits.maxBatchBytes } = effectiveConfig;",
      "const { maxBatchBytes } = { ...effectiveConfig, ...defaultBatchLimits };",
    ],
  }),
  ...within("client/producer/partition-sender.ts", ["src/producer/topic-limits.test.ts"], {
    "does not split what the topic takes no more": ["if (parts !== undefined) {", "if (parts === null) {"],
  }),
  ...within("client/producer/partition-sender.ts", ["src/producer/producer.test.ts"], {
    "counts only batches that have no answer": [
      "this.#span() < this.#mostInFlight()",
      "this.#inFlight.length < this.#mostInFlight()",
    ],
  }),
  ...within("client/grpc/only-grpc.ts", ["src/grpc/connections.test.ts"], {
    "takes any content type": ["foreign = foreignType(received);", ""],
  }),
  ...within("client/grpc/connections.ts", ["src/grpc/connections.test.ts"], {
    "ignores the peer's stream limit": [
      "const most = Math.min(this.#all[index]!.maxStreams, this.#maxStreams);",
      "const most = 1_000;",
    ],
  }),
];

/** Defects of the server. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import { ACCESS, BUDGETS, QUOTAS, UNSENT } from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

const BOUNDED_MAP = "src/access/bounded-map.test.ts";
const STRANGERS = "src/access/strangers.test.ts";
const SINK = "src/command/stderr-sink.test.ts";
const LOG = "src/command/log.test.ts";
const SIGNALS = "src/command/stop-signal.test.ts";
const RELOAD = "src/command/reload-signal.test.ts";
const HEALTH = "src/services/health-service.test.ts";
const FIELDS = "src/services/field-count.test.ts";
const IN_PIECES = "src/services/in-pieces.test.ts";
const PACED = "src/transport/paced-streams.test.ts";
const SLICES = "src/transport/slices.test.ts";

export const serverDefects: readonly Defect[] = [
  ...within("server-grpc/access/bounded-map.ts", [BOUNDED_MAP], {
    "a cache of names has no bound": [
      "if (this.#bytes + bytes <= this.#maxBytes) break;",
      "if (bytes <= this.#maxBytes) break;",
    ],
    "a cache keeps a key that is longer than all it may hold": ["if (bytes > this.#maxBytes) return;", ""],
    "a value that is set again is counted twice": [
      "if (this.#entries.delete(key)) this.#bytes -= bytes;",
      "this.#entries.delete(key);",
    ],
  }),
  ...within("server-grpc/access/strangers.ts", [STRANGERS], {
    "connections without credentials have no limit": [
      "!this.#connections.claim(address, connection, MAX_STRANGER_CONNECTIONS)",
      "!this.#connections.claim(address, connection, Number.POSITIVE_INFINITY)",
    ],
    "calls without credentials have no limit": ["if (calls >= MAX_STRANGER_CALLS) {", "if (calls < 0) {"],
    "calls without credentials that end go on being counted": [
      "else this.#callsByAddress.set(address, left);",
      "else this.#callsByAddress.set(address, left + 1);",
    ],
  }),
  ...within("server-grpc/transport/socket-counts.ts", [STRANGERS], {
    "one address may have all connections": ["if (count >= this.#max) return false;", ""],
  }),
  ...within("server-grpc/transport/names.ts", [STRANGERS, HEALTH], {
    "names are not checked for their length": ["return name.length > MAX_NAME_LENGTH;", "return name === undefined;"],
  }),
  ...within("server-grpc/transport/limits.ts", [HEALTH], {
    "requests of health may be as long as batches": [
      'return path.startsWith("/grpc.") ? MAX_OPEN_REQUEST_BYTES : undefined;',
      'return path === "" ? MAX_OPEN_REQUEST_BYTES : undefined;',
    ],
  }),
  ...within("server-grpc/transport/limits.ts", [FIELDS], {
    "a request may have any number of entries": [
      "export const MAX_PLAIN_REQUEST_FIELDS = 12_000;",
      "export const MAX_PLAIN_REQUEST_FIELDS = 12_000_000;",
    ],
  }),
  ...within("server-grpc/transport/paced-streams.ts", [PACED], {
    "all calls that come at once begin at once": [
      "begun === 0 || (begun < streamsATurn && performance.now() - turnBegan < TURN_MS);",
      "begun < 1_000_000;",
    ],
    "calls that wait to begin are forgotten": [
      "if (queue.length > 0) this.#queues.set(connection, queue); // behind the others",
      "",
    ],
  }),
  ...within("server-grpc/transport/paced-streams.ts", [PACED], {
    "a call waits for all that another connection has made": [
      "waiting.add(stream.session, ",
      "waiting.add(undefined, ",
    ],
  }),
  ...within("server-grpc/transport/slices.ts", [SLICES], {
    "a call waits for all members that are told": [
      "queues[of].waiting.push(resolve);",
      "queues.members.waiting.push(resolve);",
    ],
    "a slice has no end": [
      "const isUsedUp = performance.now() - begun >= SLICE_MS;",
      "const isUsedUp = performance.now() - begun < 0;",
    ],
    "everybody who waits for a slice is let go at once": [
      "queueMicrotask(resumeNext); // after",
      "resumeNext(); // after",
    ],
    "calls of one turn do not wait for each other": [
      "  return new Promise((resolve) => {\n    queues",
      "  if (!isResuming && performance.now() - begun < SLICE_MS) return Promise.resolve();\n  return new Promise((resolve) => {\n    queues",
    ],
  }),
  ...within("server-grpc/services/in-pieces.ts", [IN_PIECES], {
    "an answer of many entries is encoded in one piece": [
      "const PIECE_ENTRIES = 500;",
      "const PIECE_ENTRIES = 500_000_000;",
    ],
  }),
  ...within("server-grpc/access/alterations.ts", [ACCESS], {
    "changes of one topic are checked at the same time": [
      "const done = before.then(work, work);",
      "const done = work();",
    ],
  }),
  ...within("server-grpc/command/stderr-sink.ts", [SINK], {
    "lines that nobody takes wait without a bound": [
      "if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {",
      "if (bytes > MAX_WAITING_BYTES) {",
    ],
    "lines that could not be written are not counted": ["if (error) this.#droppedLines += lineCount;", ""],
    "after a line that could not be written no other is": [
      "if (error) this.#droppedLines += lineCount;",
      "if (error) return;",
    ],
    "a flush waits for whoever does not read": [
      "this.#flushed.push(resolve);\n    await promise;",
      "this.#flushed.push(resolve);\n    clearTimeout(timer);\n    await promise;",
    ],
  }),
  ...within("server-grpc/command/printable.ts", [LOG], {
    "C1 controls stand in the log as they are": ["\\u007f-\\u009f", "\\u007f"],
    "the log's text can be reordered": ["\\u2028-\\u202e\\u2066-\\u2069", "\\u2028-\\u2029"],
    "ESC stands in the log as it is": ["\\u0000-\\u001f\\u007f", "\\u0000-\\u001a\\u007f"],
  }),
  ...within("server-grpc/command/log.ts", [LOG], {
    "a text of any length goes into the log": [
      "if (value.length <= MAX_TEXT_LENGTH) return value;",
      "if (value.length > 0) return value;",
    ],
    "lines of text are not made printable": ["return `${printable(`${time}", "return `${String(`${time}"],
  }),
  ...within("server-grpc/command/stop-signal.ts", [SIGNALS], {
    "SIGINT is not heard": [
      'signals.on("SIGTERM", onSignal).on("SIGINT", onSignal);',
      'signals.on("SIGTERM", onSignal);',
    ],
    "the second signal is not heard": ["(stop.signal.aborted ? exit() : stop.abort())", "stop.abort()"],
  }),
  ...within("server-grpc/command/reload-signal.ts", [RELOAD], {
    "a SIGHUP during the start is lost": ["if (isDue) reload();", ""],
  }),
  ...within("server-grpc/services/consume-stream.ts", [BUDGETS], {
    "frees a message before it is sent": [
      "      writeMessage(this.#call, event, resolve);\n",
      '      writeMessage(this.#call, event, resolve);\n      if (event.type === "batches") event.release?.();\n',
    ],
    "gives back what is still being read": ["    this.#lease.cutOff(error);", "    this.#lease.close(error);"],
    "keeps what was read too late to be sent": ['        if (event.type === "batches") event.release?.();\n', ""],
  }),
  ...within("server-grpc/services/consume-stream.ts", [UNSENT], {
    "frees what HTTP/2 may still read": ["    else this.#whenUnread(giveBack);", "    else giveBack();"],
  }),
  ...within("server-grpc/services/fetch.ts", [UNSENT], {
    "frees an answer before it is sent": ["    whenUnread(giveBack);", "    giveBack();"],
  }),
  ...within("server-grpc/services/fetch.ts", [BUDGETS], {
    "waits for room when the server stops": ["    lease.cutOff(error);", ""],
  }),
  ...within("server-grpc/transport/unsent-messages.ts", [UNSENT], {
    "takes a closed stream for one that is not read": ["stream.writableFinished || this.#isClosed", "true"],
    "waits for ever for a peer that reads nothing": ["    else this.#connection.refuse();\n", ""],
    "releases nothing when the connection ends": [
      "    callAll([...this.#thisPing.splice(0), ...this.#nextPing.splice(0)]);\n",
      "",
    ],
    "releases nothing when a ping is answered": ["      callAll(released);\n", ""],
  }),
  ...within("server-grpc/serving/call-path.ts", ["src/transport/base-call.test.ts"], {
    "nobody hears that internals are missing": [
      "watchCallInternals(() => onWarning(MISSING_INTERNALS))",
      "watchCallInternals(() => {})",
    ],
  }),
  ...within("server-grpc/transport/base-call.ts", ["src/transport/base-call.test.ts"], {
    "relies on internals that may be missing": ["isBaseCall(layer as Partial<BaseCall>) ?", "true ?"],
  }),
  ...within("server-grpc/serving/grpc-services.ts", ["src/transport/http2-servers.test.ts"], {
    "calls are not paced, and nobody hears of it": ["http2ServersOf(grpc, missing)", "http2ServersOf(grpc, () => {})"],
  }),
  ...within("server-grpc/transport/receive-turns.ts", ["src/transport/receive-turns.test.ts"], {
    "a connection may have a whole turn, whoever shares it": ["this.#turnBytes / sharing", "this.#turnBytes"],
    "short requests cost nothing": [
      "(this.#taken.get(connection) ?? 0) + bytes)",
      "(this.#taken.get(connection) ?? 0) + bytes - REQUEST_COST_BYTES)",
    ],
  }),
  ...within("server-grpc/services/produce-stream.ts", ["src/services/produce-stream.test.ts"], {
    "all that a connection has sent ahead is read in one turn": ["receiveTurns.took(session, bytes);", ""],
  }),
  ...within("server-grpc/transport/receive-window.ts", ["src/transport/receive-window.test.ts"], {
    "several connections that append have the window of one": [
      "this.#appending.size > 1",
      "this.#appending.size > 1e9",
    ],
    "the window stays small for one that appends alone": ["() => this.#setAll(this.#options.windowBytes)", "() => {}"],
  }),
  ...within(
    "server-grpc/telemetry/traffic.ts",
    ["src/telemetry/traffic.test.ts", "src/telemetry/observed-api.test.ts"],
    {
      "tells of a topic that was deleted": ["counts.isDeleted || this.#named.get(topic) !== counts", "false"],
      "remembers what a peer makes up": [
        "    if (counts.calls === 0 && this.#named.get(topic) === counts) this.#named.delete(topic);\n",
        "",
      ],
    },
  ),
  ...within("server-grpc/access/charged-reads.ts", [QUOTAS, ACCESS], {
    "charges a fetch when it is read": ["api.fetch(request, { ...options, budget })", "api.fetch(request, options)"],
    "charges streams when they have read": ["readAhead: false, budget })", "readAhead: false })"],
  }),
  ...within("server-grpc/access/guarded-log.ts", [QUOTAS, ACCESS], {
    "lets anybody who alters delete by retention": [
      "if (mayDeleteRecords(change, config, effectiveConfig))",
      "if (false)",
    ],
  }),
  ...within("server-grpc/access/charged-budget.ts", [QUOTAS], {
    "refuses where others only read": ["if (settling !== undefined) await settling;\n      else if", "if"],
    "keeps what a read did not use": ["    this.#settle(bytes, 0);", ""],
  }),
  ...within("server-grpc/access/retention-change.ts", [ACCESS], {
    "takes going back to the server's retention for harmless": ["return config[name] !== undefined;", "return false;"],
  }),
  ...within("server-grpc/access/access-control.ts", [ACCESS], {
    "waits for keys before rules hold": ["if (isKnownLater && isStillTheSame) caller.stand", "if (false) caller.stand"],
  }),
];

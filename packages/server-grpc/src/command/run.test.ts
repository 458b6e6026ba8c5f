import { LockedError } from "@logstore/codec";
import { expect, test } from "vitest";
import { FakeLog } from "../../test/fake-log.js";
import { ForeignClient } from "../../test/foreign-client.js";
import { parseCommandLine, type ServerCommand } from "./command-line.js";
import { run, type Surroundings } from "./run.js";

function surroundings(openBroker: () => Promise<FakeLog> = async () => new FakeLog()) {
  const out: string[] = [];
  const err: string[] = [];
  const events: string[] = [];
  const listening = Promise.withResolvers<string>();
  const stop = Promise.withResolvers<void>();
  const commands: ServerCommand[] = [];
  const around: Surroundings = {
    async openBroker(command) {
      commands.push(command);
      const close = async () => void events.push("closed");
      return Object.assign(await openBroker(), { close });
    },
    print(line) {
      out.push(line);
      listening.resolve(line);
    },
    printError: (line) => void err.push(line),
    untilStopped: () => stop.promise,
  };
  return { around, out, err, events, commands, listening: listening.promise, stop: stop.resolve };
}

test("it serves until it is told to stop, then closes the broker", async () => {
  const { around, out, err, events, commands, listening, stop } = surroundings();
  const exit = run(["--data", "d", "--port", "0", "--durability", "written", "--segment-bytes", "4096"], around);
  const address = /^logstore listening on (127\.0\.0\.1:\d+)$/.exec(await listening)?.[1];
  const client = new ForeignClient(address ?? "");
  expect(await client.call("ListTopics", {})).toEqual({ topics: [] });
  client.close();
  expect(events).toEqual([]);
  stop();
  expect(await exit).toBe(0);
  expect([out.length, err, events]).toEqual([1, [], ["closed"]]);
  expect(commands).toMatchObject([{ data: "d", durability: "written", segmentBytes: 4096 }]);
});

test("what keeps it from starting is one line with a code", async () => {
  const { around, out, err } = surroundings(() => Promise.reject(new LockedError("d is\nin use")));
  expect(await run(["--data", "d"], around)).toBe(1);
  expect([out, err]).toEqual([[], ["logstore-server: LOCKED: d is in use"]]);
});

test("a port that is in use is one line, and the broker is closed", async () => {
  const first = surroundings();
  const exit = run(["--data", "d", "--port", "0"], first.around);
  const port = (await first.listening).split(":")[1] ?? "";
  const second = surroundings();
  expect(await run(["--data", "d", "--port", port], second.around)).toBe(1);
  expect(second.err).toEqual([expect.stringMatching(/^logstore-server: .*EADDRINUSE.*$/)]);
  expect(second.events).toEqual(["closed"]);
  first.stop();
  expect(await exit).toBe(0);
});

test.for([
  [[], "--data"],
  [["--data", "d", "--port", "65536"], "65536"],
  [["--data", "d", "--port", ""], "--port"],
  [["--data", "d", "--segment-bytes", "1e6"], "1e6"],
  [["--data", "d", "--durability", "maybe"], "maybe"],
  [["--data", "d", "--host", "0.0.0.0"], "--insecure"],
  [["--data", "d", "--host", "127.example.org"], "--insecure"],
  [["--data", "d", "--colour"], "--colour"],
  [["--data", "d", "extra"], "extra"],
] as const)("bad usage is told in one line: %j", async ([args, hint]) => {
  const { around, out, err, commands } = surroundings();
  expect(await run(args, around)).toBe(2);
  expect([out, commands, err.length]).toEqual([[], [], 1]);
  expect(err[0]).toMatch(/^logstore-server: .*$/);
  expect(err[0]).toContain(hint);
});

test("help, defaults, and hosts", async () => {
  const { around, out, commands } = surroundings();
  expect(await run(["--help"], around)).toBe(0);
  expect([out.length, commands]).toEqual([1, []]);
  expect(parseCommandLine(["--data", "d"])).toEqual({ data: "d", host: "127.0.0.1", port: 7411 });
  for (const host of ["localhost", "::1", "127.0.0.2"]) {
    expect(parseCommandLine(["--data", "d", "--host", host])).toMatchObject({ host });
  }
  expect(parseCommandLine(["--data", "d", "--host", "0.0.0.0", "--insecure"])).toMatchObject({ host: "0.0.0.0" });
});

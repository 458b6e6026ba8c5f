import { expect, test } from "vitest";
import { logstore, logstoreProcess } from "./command.js";

test("--help lists the commands", async () => {
  const { stdout, stderr, code } = await logstoreProcess(["--help"], { env: { COLUMNS: "80" } });
  expect(stdout).toMatchInlineSnapshot(`
    "Usage: logstore [options] [command]

    Looks at and operates LogStore: a server, or a data directory.

    Options:
      -V, --version               show the version
      -h, --help                  show this text

    Records:
      produce <topic> [files...]  append records from stdin or files
      read [topic]                read records from one position to another, and end
      tail [topic]                show the last records, and those that are appended
      import <topic> [file...]    store the records of files in a topic
      export <topic>              write the records of a topic as NDJSON, CSV or a
                                  directory
      copy <topic> [new-topic]    copy a topic, also to another place, with its
                                  offsets

    Topics and groups:
      topics                      list, describe, create, alter and delete topics
      groups                      list, describe, reset and delete consumer groups,
                                  and show their lag
      parked                      list, show, replay and drop records that a group
                                  put aside
      snapshots                   list, create, restore and delete snapshots of
                                  topics

    Servers:
      top                         watch topics, rates, groups and lag
      check                       say in one line whether all is well, for
                                  monitoring
      bench                       measure a place: rates and percentiles
      dev [directory]             start a server to play with
      serve                       serve a data directory

    Data directories:
      inspect <path>              show segments, batches and records as they lie on
                                  disk
      verify <directory>          read everything and say what is damaged
      repair <directory>          make damaged partitions whole again

    This command:
      profile                     keep places under names: address, TLS, token
      completion                  print a script that completes commands, options
                                  and names
      help [command...]           show the help of a command

    Exit codes:
      0               done
      1               the command failed
      2               wrong command line, variable or profile
      3               no such topic, partition, group, snapshot, profile or log store
      4               no server answered, or not in time
      5               access refused, or a quota or limit exceeded
      6               not confirmed: a terminal or --yes was missing
      130             interrupted by Ctrl-C
      143             ended by SIGTERM

    logstore help COMMAND shows more, and examples.
    "
  `);
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
});

test("a wrong command line is refused with what to do, and exit code 2", async () => {
  const { stderr, code } = await logstore(["topics", "lst"]);
  expect(stderr).toMatchInlineSnapshot(`
    "error: unknown command 'lst'
    hint:  Did you mean list?
    "
  `);
  expect(code).toBe(2);
  const option = await logstore(["parked", "replay", "orders", "billing", "--zzz"]);
  expect(option.stderr).toBe(
    "error: unknown option '--zzz'\nhint:  logstore parked replay --help shows what there is\n",
  );
  const number = await logstore(["topics", "create", "t", "--partitions", "many"]);
  expect(number).toMatchObject({ code: 2, stdout: "" });
  expect(number.stderr).toMatch(/^error: --partitions: /);
});

test("help shows the help of a command, subcommands included", async () => {
  const { stdout, code } = await logstore(["help", "groups", "reset"], { env: { COLUMNS: "80" } });
  expect(stdout).toBe((await logstore(["groups", "reset", "--help"], { env: { COLUMNS: "80" } })).stdout);
  expect(stdout).toMatch(/^Usage: logstore groups reset /);
  expect(code).toBe(0);
  expect(await logstore(["help", "groups", "rest"])).toMatchObject({
    stderr: 'error: there is no command "logstore groups rest"\nhint:  logstore groups --help lists the commands\n',
    code: 2,
  });
});

test("paragraphs of the help are wrapped where the terminal ends, and nowhere else", async () => {
  const { stdout } = await logstore(["help", "read"], { env: { COLUMNS: "80" } });
  expect(stdout).toContain(`
A position is earliest, latest, an offset (42), records before the end of each
partition (-100), a time ago (-15m), or a time (2026-11-27, 2026-11-27T09:30Z).
`);
});

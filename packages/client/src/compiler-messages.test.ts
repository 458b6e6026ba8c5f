/** The compiler's messages about wrong options name the option and its own type. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const packageDirectory = join(import.meta.dirname, "..");
const tsc = join(packageDirectory, "../../node_modules/typescript/bin/tsc");

const misuses: readonly (readonly [statement: string, message: RegExp])[] = [
  ['client.consumer({ groop: "g", topics: ["t"] });', /'groop' does not exist in type 'ConsumerOptions.*'group'\?/],
  ['client.consumer({ group: "g", topic: ["t"] });', /'topic' does not exist in type 'ConsumerOptions.*'topics'\?/],
  ['client.consumer({ group: "g", topics: [], assign: {} });', /'assign' does not exist in type 'ConsumerOptions/],
  ['client.reader({ topics: ["t"], group: "g" });', /'group' does not exist in type .*ReadingOptions/],
  ['client.reader({ topics: ["t"], form: "latest" });', /'form' does not exist in type .*ReadingOptions/],
  ['client.reader({ topics: ["t"], assign: {} });', /not assignable to parameter of type 'ReaderOptions/],
  ['client.producer("t", { linger: 5 });', /'linger' does not exist in type 'ProducerOptions.*'lingerMs'\?/],
  ['client.producer<Flight>("t");', /Expected 2 arguments, but got 1/],
  ['client.producer<Flight>("t", { lingerMs: 5 });', /'value' is missing in type '\{ lingerMs: number; \}'/],
  ['client.consumer<Flight>({ group: "g", topics: ["t"] });', /'value' is missing in type '\{ group: string; /],
  ['client.append("t", 0, [], { expectedOfset: 5 });', /'expectedOfset' does not exist in type 'AppendOptions/],
  ['client.append("t", 0, [{ value: flight }]);', /'Flight' is not assignable to type '.*(Uint8Array|Bytes)/],
  ['client.createTopic("t", {});', /'partitions' is missing in type '\{\}' but required in type 'CreateTopicOptions'/],
  ['client.createTopic("t", { partitions: 1, retentionms: 5 });', /type 'CreateTopicOptions'.*'retentionMs'\?/],
  ['connect("host", { tsl: true });', /'tsl' does not exist in type 'ConnectOptions'/],
];

test("a wrong option gets a message about the option and its own type", { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(packageDirectory, "node_modules/.misuse-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const prologue = [
    `import { connect } from ${JSON.stringify(join(packageDirectory, "src/index.js"))};`,
    'interface Flight { carrier: string } declare const flight: Flight; const client = connect("host");',
  ];
  writeFileSync(join(directory, "misuse.ts"), [...prologue, ...misuses.map(([statement]) => statement)].join("\n"));
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: join(packageDirectory, "tsconfig.json"),
      compilerOptions: { noEmit: true, rootDir: packageDirectory },
      include: ["misuse.ts"],
    }),
  );
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", directory, "--pretty", "false"], { encoding: "utf8" });
  // The lines after the first one of a message are indented.
  const messages = stdout.split(/\n(?=\S)/).map((message) => message.replaceAll(/\s+/g, " "));
  const told = misuses.map(([statement], i) => {
    const line = prologue.length + i + 1;
    return [statement, messages.filter((message) => message.includes(`misuse.ts(${line},`)).join(" ")] as const;
  });
  expect(told).toEqual(misuses.map(([statement, message]) => [statement, expect.stringMatching(message)]));
  expect(messages.filter((message) => message.includes("error TS"))).toHaveLength(misuses.length);
});

/**
 * API reports: the public declarations of each package as a checked-in text file,
 * `packages/<package>/etc/<entry>.api.md`, so that a review shows changes of a package's API. They
 * are generated from the `.d.ts` files against which a program compiles that installs the package.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The entry points of the packages. */
export const ENTRIES = [
  { name: "codec", directory: "packages/codec", entry: "dist/index.d.ts" },
  { name: "protocol", directory: "packages/protocol", entry: "dist/index.d.ts" },
  { name: "protocol-descriptors", directory: "packages/protocol", entry: "dist/descriptors.d.ts" },
  { name: "core", directory: "packages/core", entry: "dist/index.d.ts" },
  { name: "core-engine", directory: "packages/core", entry: "dist/engine.d.ts" },
  { name: "core-testing", directory: "packages/core", entry: "dist/testing/index.d.ts" },
  { name: "client", directory: "packages/client", entry: "dist/index.d.ts" },
  { name: "nestjs", directory: "packages/nestjs", entry: "dist/index.d.ts" },
  { name: "engine-jetstream", directory: "packages/engine-jetstream", entry: "dist/index.d.ts" },
  { name: "testing", directory: "packages/testing", entry: "dist/index.d.ts" },
  { name: "server-grpc", directory: "packages/server-grpc", entry: "dist/index.d.ts" },
] as const;

export type Entry = (typeof ENTRIES)[number];

export interface Findings {
  /** The report generated from the declarations. */
  readonly report: string;
  /** Names that an exported declaration mentions but the package does not export. */
  readonly notExported: string[];
  /** Exported names without a doc comment. */
  readonly undocumented: string[];
}

/** Path of an entry's checked-in report, relative to the root. */
export function reportFile({ directory, name }: Entry): string {
  return join(directory, "etc", `${name}.api.md`);
}

export function checkedIn(entry: Entry): string {
  return readFileSync(join(root, reportFile(entry)), "utf8");
}

/** Reads the built declarations of all entries. Takes some seconds of processor time. */
export function readDeclarations(): Map<Entry, Findings> {
  const temporary = mkdtempSync(join(tmpdir(), "logstore-api-"));
  try {
    mkdirSync(join(temporary, "reports"));
    const configs = ENTRIES.map((entry) => configOf(entry, temporary));
    const entryFiles = configs.map((config) => config.mainEntryPointFilePath);
    const compilerState = CompilerState.create(configs[0]!, { additionalEntryPoints: entryFiles });
    const made = ENTRIES.map((entry, index) => [entry, extract(configs[index]!, compilerState)] as const);
    return new Map(made.map(([entry, findings]) => [entry, withoutExports(entry, findings, made)]));
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

function configOf({ name, directory, entry }: Entry, temporary: string): ExtractorConfig {
  const projectFolder = join(root, directory);
  const compilerOptions = {
    target: "es2024",
    lib: ["esnext"],
    module: "nodenext",
    strict: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(root, "packages/core/node_modules/@types")],
  };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder,
      mainEntryPointFilePath: join(projectFolder, entry),
      compiler: { overrideTsconfig: { compilerOptions, files: [join(projectFolder, entry)] } },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: join(temporary, "reports"),
        reportTempFolder: join(temporary, "temp"),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: "lf",
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          "ae-forgotten-export": { logLevel: ExtractorLogLevel.Warning },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, "package.json"),
  });
}

function extract(config: ExtractorConfig, compilerState: CompilerState): Findings {
  const notExported: string[] = [];
  Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback(message) {
      message.handled = true;
      if (message.messageId === "ae-forgotten-export") notExported.push(/"([^"]+)"/.exec(message.text)![1]!);
      else if (message.logLevel === "error") throw new Error(message.text);
    },
  });
  const report = readFileSync(config.reportFilePath, "utf8");
  // API Extractor marks a declaration without a doc comment with this word, in the comment before
  // it. Members of a declaration are indented.
  const undocumented = [...report.matchAll(/^\/\/ @\w+ \(undocumented\)\nexport (.*)$/gm)].map((match) => match[1]!);
  const exported = new Set([...report.matchAll(/^export \{ (\w+) \}/gm)].map((match) => match[1]!));
  const { peerDependencies = {} } = JSON.parse(readFileSync(join(config.projectFolder, "package.json"), "utf8"));
  const imported = [...report.matchAll(/^import (?:type )?\{ (\w+).* \} from '(@logstore\/[\w-]+)/gm)]
    .filter((match) => !(match[2]! in peerDependencies)) // whoever installs the package has these, too
    .map((match) => match[1]!);
  notExported.push(...imported.filter((name) => !exported.has(name)));
  return { report, notExported, undocumented };
}

/** A name that another entry of the same package exports counts as exported. */
function withoutExports(entry: Entry, findings: Findings, all: readonly (readonly [Entry, Findings])[]): Findings {
  const others = all.filter(([other]) => other !== entry && other.directory === entry.directory);
  const isExported = (name: string) => {
    const plain = name.replace(/_\d+$/, "");
    const declared = new RegExp(
      `^export (.*\\b(class|interface|type|const|function) ${plain}\\b|{ \\w+ as ${plain} })`,
      "m",
    );
    return others.some(([, { report }]) => declared.test(report));
  };
  return { ...findings, notExported: findings.notExported.filter((name) => !isExported(name)) };
}

import { parseArgs } from "node:util";
import { isTemplate, TEMPLATES, type TemplateName, templateNames } from "./templates.js";
import { UsageError } from "./usage-error.js";

/** The options of the command line. An option that is not given is undefined. */
export interface Options {
  readonly directory: string | undefined;
  readonly template: TemplateName | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

export const HELP = `Usage: npm create logstore [DIRECTORY] -- [--template NAME]

Makes a starter project with LogStore, in TypeScript, with a test.

Templates:
${TEMPLATES.map(({ name, what }) => `  ${name.padEnd(16)}${what}`).join("\n")}

Options:
  -t, --template NAME   one of the above
  -h, --help            show this text
  -V, --version         show the version

At a terminal it asks for what is left out.
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parsed(args);
  const { template, help = false, version = false } = values;
  if (positionals.length > 1) {
    throw new UsageError(`one directory is expected, not ${positionals.length}: ${positionals.join(" ")}`);
  }
  if (template !== undefined && !isTemplate(template)) {
    throw new UsageError(`there is no template "${template}": choose one of ${templateNames}`);
  }
  return { directory: positionals[0], template, help, version };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        template: { type: "string", short: "t" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "V" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

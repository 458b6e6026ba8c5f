import { relative } from "node:path";
import { styleText } from "node:util";
import { askDirectory, askTemplate } from "./ask.js";
import { generate, ownManifest } from "./generate.js";
import { HELP, parseOptions } from "./options.js";
import { type TemplateName, templateNames } from "./templates.js";
import { UsageError } from "./usage-error.js";

/** Resolves to the exit code: 1 for a failure, 2 for a wrong command line, 130 after Ctrl-C. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await run(args);
    return 0;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "AbortError") return 130;
    process.stderr.write(`create-logstore: ${message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) return void process.stdout.write(HELP);
  if (options.version) return void process.stdout.write(`${(await ownManifest()).version}\n`);
  const isAtTerminal = process.stdin.isTTY && process.stdout.isTTY;
  if (!isAtTerminal && (options.directory === undefined || options.template === undefined)) {
    throw new UsageError(
      `say where and what: npm create logstore DIRECTORY -- --template NAME, where NAME is one of ${templateNames}`,
    );
  }
  const directory = options.directory ?? (await askDirectory());
  const template = options.template ?? (await askTemplate());
  await generate(template, directory);
  process.stdout.write(nextSteps(template, directory));
}

function nextSteps(template: TemplateName, directory: string): string {
  const manager = /^(npm|pnpm|yarn|bun)\//.exec(process.env["npm_config_user_agent"] ?? "")?.[1] ?? "npm";
  const path = relative(process.cwd(), directory);
  const enter = path === "" ? [] : [`cd ${/^[\w./@+-]+$/.test(path) ? path : JSON.stringify(path)}`];
  const steps = [...enter, `${manager} install`, `${manager} start`, `${manager} test`];
  const lines = steps.map((step) => `  ${styleText("bold", step)}`).join("\n");
  return `\nMade ${styleText("green", directory)} from the template ${template}. Next:\n\n${lines}\n\n`;
}

/** The page of the command line, made from the definitions of the commands. */
import { outputOptions, placeOptions } from "../../packages/cli/dist/definitions/common-options.js";
import type {
  ArgumentDefinition,
  CommandDefinition,
  OptionDefinition,
} from "../../packages/cli/dist/definitions/definition.js";
import { commands } from "../../packages/cli/dist/definitions/index.js";
import { exitCodeMeanings } from "../../packages/cli/dist/errors/exit-codes.js";

const HEAD = `# Command line

\`logstore\` looks at and operates a server, or a data directory. \`npm install -g @logstore/cli\` installs it, \`npx
@logstore/cli\` runs it once. \`logstore help COMMAND\` shows what is on this page.

This page is made from the definitions of the commands.
`;

export function cliPage(): string {
  const ends = Object.entries(exitCodeMeanings).map(([code, meaning]) => `| ${code} | ${inTable(prose(meaning))} |\n`);
  return [
    HEAD,
    ...commands.flatMap((command) => sectionsOf(command, "", 2)),
    `## Where the log is\n\nEvery command that reads or writes a log takes these.\n\n${optionTable(placeOptions)}`,
    `## Output\n\nEvery command takes these.\n\n${optionTable(outputOptions)}`,
    `## Exit codes\n\n| code | meaning |\n|---|---|\n${ends.join("")}`,
  ].join("\n");
}

function sectionsOf(command: CommandDefinition, parent: string, level: number): string[] {
  const name = `${parent}${command.name}`;
  const { description, examples = [], options = [] } = command;
  const parts = [`${"#".repeat(level)} logstore ${name}\n`, `${prose(description ?? sentence(command.summary))}\n`];
  if (command.load !== undefined) parts.push(`\`\`\`\n${usageOf(name, command)}\n\`\`\`\n`);
  if ((command.arguments ?? []).length > 0) parts.push(argumentTable(command.arguments!));
  if (options.length > 0) parts.push(optionTable(options));
  if (examples.length > 0) {
    const lines = examples.map(({ title, line }) => `# ${title}\n${line}`);
    parts.push(`\`\`\`\n${lines.join("\n\n")}\n\`\`\`\n`);
  }
  return [parts.join("\n"), ...(command.commands ?? []).flatMap((inner) => sectionsOf(inner, `${name} `, level + 1))];
}

function usageOf(name: string, command: CommandDefinition): string {
  const given = (command.arguments ?? []).map(({ name, isRequired = true, isVariadic = false }) => {
    const shown = isVariadic ? `${name}...` : name;
    return isRequired ? `<${shown}>` : `[${shown}]`;
  });
  return ["logstore", name, ...given, "[options]"].join(" ");
}

function argumentTable(rows: readonly ArgumentDefinition[]): string {
  const lines = rows.map(({ name, description }) => `| \`${name}\` | ${inTable(prose(description))} |\n`);
  return `| argument | meaning |\n|---|---|\n${lines.join("")}`;
}

function optionTable(rows: readonly OptionDefinition[]): string {
  const lines = rows.map(({ flags, description, defaultText, choices }) => {
    const values = choices === undefined ? "" : `: ${choices.join(", ")}`;
    const byDefault = defaultText === undefined ? "" : `\`${inTable(defaultText)}\``;
    return `| \`${inTable(flags)}\` | ${inTable(prose(description + values))} | ${byDefault} |\n`;
  });
  return `| option | meaning | default |\n|---|---|---|\n${lines.join("")}`;
}

function inTable(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** Angle brackets outside code would be HTML. */
function prose(text: string): string {
  return text.replaceAll("<", "&lt;");
}

function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
}

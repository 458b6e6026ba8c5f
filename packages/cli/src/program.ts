/** Creates commander's program from the definitions. */
import { Argument, Command, Option } from "commander";
import { outputOptions, placeOptions } from "./definitions/common-options.js";
import type {
  ArgumentDefinition,
  CommandDefinition,
  CommandModule,
  Example,
  OptionDefinition,
} from "./definitions/definition.js";
import { commandGroups } from "./definitions/groups-of-commands.js";
import { commands } from "./definitions/index.js";
import { UsageError } from "./errors/cli-error.js";
import { exitCodeMeanings } from "./errors/exit-codes.js";
import { styledHelp } from "./output/help.js";
import type { Style } from "./output/style.js";

/** A command that the arguments name, with its options and arguments. */
export interface Chosen {
  readonly load: () => Promise<CommandModule>;
  readonly options: Record<string, unknown>;
  readonly arguments: readonly unknown[];
}

export interface ProgramOptions {
  readonly version: string;
  readonly style: Style;
  readonly width: number | undefined;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Called with the command that the arguments name. */
  readonly choose: (chosen: Chosen) => Promise<void>;
}

export function makeProgram(settings: ProgramOptions): Command {
  const program = new Command("logstore")
    .description("Looks at and operates LogStore: a server, or a data directory.")
    .version(settings.version, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this text")
    .helpCommand(false)
    .configureHelp(styledHelp(settings.style, settings.width))
    .exitOverride()
    // Errors are reported like every other error.
    .configureOutput({ writeOut: settings.write, writeErr: settings.writeError, outputError: () => {} })
    .showSuggestionAfterError();
  for (const definition of commands) program.addCommand(makeCommand(definition, program, settings));
  program.addCommand(makeHelpCommand(program));
  program.addHelpText("after", `\n${exitCodesText(settings.style)}\n\nlogstore help COMMAND shows more, and examples.`);
  return program;
}

function makeCommand(definition: CommandDefinition, parent: Command, settings: ProgramOptions): Command {
  const { name, summary, description, group, load } = definition;
  const command = new Command(name).copyInheritedSettings(parent).helpOption("-h, --help", "show this text");
  command.summary(summary).description(unwrapped(description ?? sentence(summary)));
  if (group !== undefined) command.helpGroup(group);
  for (const argument of definition.arguments ?? []) command.addArgument(makeArgument(argument));
  for (const option of definition.options ?? []) command.addOption(makeOption(option));
  if (load !== undefined) {
    if (definition.usesPlace) for (const option of placeOptions) command.addOption(makeOption(option, "Place:"));
    for (const option of outputOptions) command.addOption(makeOption(option, "Output:"));
    command.action((...args: unknown[]) => {
      const given = args.slice(0, -2);
      return settings.choose({ load, options: command.opts(), arguments: given });
    });
  }
  for (const inner of definition.commands ?? []) command.addCommand(makeCommand(inner, command, settings));
  if (definition.commands !== undefined) command.helpCommand(false);
  const { examples = [] } = definition;
  if (examples.length > 0) command.addHelpText("after", `\n${examplesText(examples, settings.style)}`);
  return command;
}

/** Commander's own takes one name only: it shows the help of `groups` for "help groups reset". */
function makeHelpCommand(program: Command): Command {
  return new Command("help")
    .copyInheritedSettings(program)
    .helpOption("-h, --help", "show this text")
    .argument("[command...]")
    .summary("show the help of a command")
    .description("Shows the help of a command: logstore help read, logstore help groups reset.")
    .helpGroup(commandGroups.setup)
    .action((names: readonly string[]) => {
      let command = program;
      for (const name of names) {
        const inner = command.commands.find((each) => each.name() === name);
        if (inner === undefined) {
          const path = nameOf(command);
          throw new UsageError(`there is no command "${path} ${name}"`, { hint: `${path} --help lists the commands` });
        }
        command = inner;
      }
      command.help();
    });
}

/** The full name of the command that a command line names, as far as it names one. */
export function commandNamed(program: Command, args: readonly string[]): string {
  let command = program;
  for (const word of args) {
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) break;
    command = inner;
  }
  return nameOf(command);
}

/** "logstore groups reset" */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function makeArgument(definition: ArgumentDefinition): Argument {
  const { name, description, isRequired = true, isVariadic = false, parse } = definition;
  const shown = isVariadic ? `${name}...` : name;
  const argument = new Argument(isRequired ? `<${shown}>` : `[${shown}]`, description);
  if (parse === undefined) return argument;
  const convert = naming(`<${name}>`, parse);
  return argument.argParser(isVariadic ? collecting(convert) : convert);
}

function makeOption(definition: OptionDefinition, group?: string): Option {
  const { flags, description, defaultText, choices, isRepeatable = false, parse } = definition;
  const option = new Option(
    flags,
    defaultText === undefined ? description : `${description} (default: ${defaultText})`,
  );
  if (choices !== undefined) option.choices(choices);
  if (parse !== undefined || isRepeatable) {
    const convert = naming(option.long ?? flags, parse ?? ((text: string) => text));
    option.argParser(isRepeatable ? collecting(convert) : convert);
  }
  if (group !== undefined) option.helpGroup(group);
  return option;
}

function exitCodesText(style: Style): string {
  const each = Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code.padEnd(14)}  ${meaning}`);
  return `${style("bold", "Exit codes:")}\n${each.join("\n")}`;
}

/** Adds the name of the invalid option or argument to the error. */
function naming(name: string, parse: (text: string) => unknown): (text: string) => unknown {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`${name}: ${error.message}`, { cause: error });
      throw error;
    }
  };
}

/** Values that are given one after another, as a list. */
function collecting(parse: (text: string) => unknown): (text: string, before: unknown) => unknown[] {
  return (text, before) => [...(Array.isArray(before) ? before : []), parse(text)];
}

/** Paragraphs as one line each: the help wraps them where the terminal ends. */
function unwrapped(description: string): string {
  return description.replaceAll(/([^\n])\n(?!\n)/g, "$1 ");
}

function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
}

function examplesText(examples: readonly Example[], style: Style): string {
  const each = examples.map(({ title, line }) => `  ${title}:\n    ${style("cyan", line)}`);
  return `${style("bold", "Examples:")}\n${each.join("\n")}\n`;
}

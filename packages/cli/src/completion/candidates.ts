/**
 * Determines the candidates for the next word of a command line from the definitions of the
 * commands.
 */

/** The parts of a command's definition that completion needs. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly CompletedArgument[] | undefined;
  readonly options?: readonly CompletedOption[] | undefined;
  readonly commands?: readonly CompletedCommand[] | undefined;
  readonly usesPlace?: boolean | undefined;
  readonly load?: unknown;
}

export interface CompletedArgument {
  readonly isVariadic?: boolean | undefined;
  readonly completes?: string | undefined;
}

export interface CompletedOption extends CompletedArgument {
  /** "-n, --count <number>" */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[] | undefined;
}

/** Options that commands have besides their own. */
export interface SharedOptions {
  readonly place: readonly CompletedOption[];
  readonly output: readonly CompletedOption[];
}

export interface Candidate {
  readonly text: string;
  readonly description: string;
}

/** Either texts, or the kind of name or file. */
export interface Candidates {
  readonly texts: readonly Candidate[];
  /** "topic", "file", … */
  readonly kind?: string | undefined;
}

const NOTHING: Candidates = { texts: [] };

/** @param words those after `logstore`; the last one is being typed and may be empty */
export function candidates(
  commands: readonly CompletedCommand[],
  shared: SharedOptions,
  words: readonly string[],
): Candidates {
  const before = words.slice(0, -1);
  const typed = words.at(-1) ?? "";
  const { command, options, position, awaiting } = walk(commands, shared, before);
  if (awaiting !== undefined) return ofValue(awaiting, typed);
  if (typed.startsWith("--") && typed.includes("=")) {
    const [flag, value] = [typed.slice(0, typed.indexOf("=")), typed.slice(typed.indexOf("=") + 1)];
    const option = options.find((one) => namesOf(one).includes(flag));
    if (option === undefined) return NOTHING;
    const { texts, kind } = ofValue(option, value);
    return { kind, texts: texts.map(({ text, description }) => ({ text: `${flag}=${text}`, description })) };
  }
  if (typed.startsWith("-")) {
    const texts = options.map((option) => ({ text: namesOf(option).at(-1)!, description: option.description }));
    return { texts: starting([...texts, { text: "--help", description: "show this text" }], typed) };
  }
  const inner = command === undefined ? commands : command.commands;
  if (inner !== undefined) {
    return {
      texts: starting(
        inner.map(({ name, summary }) => ({ text: name, description: summary })),
        typed,
      ),
    };
  }
  const given = command?.arguments ?? [];
  const argument = given[position] ?? (given.at(-1)?.isVariadic ? given.at(-1) : undefined);
  return argument?.completes === undefined ? NOTHING : { texts: [], kind: argument.completes };
}

/**
 * Returns the command that the words name, the number of its arguments, and the option that expects
 * a value.
 */
function walk(commands: readonly CompletedCommand[], shared: SharedOptions, words: readonly string[]) {
  let command: CompletedCommand | undefined;
  let position = 0;
  let awaiting: CompletedOption | undefined;
  let options: readonly CompletedOption[] = [];
  for (const word of words) {
    if (awaiting !== undefined) {
      awaiting = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const option = options.find((one) => namesOf(one).includes(word));
      if (option !== undefined && takesValue(option)) awaiting = option;
      continue;
    }
    const inner: readonly CompletedCommand[] | undefined = command === undefined ? commands : command.commands;
    const found: CompletedCommand | undefined = inner?.find(({ name }) => name === word);
    if (found === undefined) {
      position++;
      continue;
    }
    command = found;
    options = optionsOf(found, shared);
  }
  return { command, options, position, awaiting };
}

function optionsOf(
  { options = [], usesPlace, load }: CompletedCommand,
  shared: SharedOptions,
): readonly CompletedOption[] {
  return [...options, ...(usesPlace ? shared.place : []), ...(load === undefined ? [] : shared.output)];
}

/** "-n, --count <number>" → ["-n", "--count"] */
export function namesOf({ flags }: Pick<CompletedOption, "flags">): string[] {
  return flags.split(/[ ,|]+/).filter((word) => word.startsWith("-"));
}

export function takesValue({ flags }: Pick<CompletedOption, "flags">): boolean {
  return /[<[]/.test(flags);
}

function ofValue({ choices, completes }: CompletedOption, typed: string): Candidates {
  if (choices === undefined) return { texts: [], kind: completes };
  return {
    texts: starting(
      choices.map((text) => ({ text, description: "" })),
      typed,
    ),
  };
}

export function starting(all: readonly Candidate[], typed: string): Candidate[] {
  return all.filter(({ text }) => text.startsWith(typed));
}

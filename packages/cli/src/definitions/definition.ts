/**
 * The shape of a command's definition. Definitions are data: the parser, `--help`, the completion
 * scripts and the reference in the documentation are all made from them.
 */
import type { Context } from "../command/context.js";

export interface CommandDefinition {
  /** "list"; a subcommand's full name has its parent's before it. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** Paragraphs that `--help` shows above the options. */
  readonly description?: string | undefined;
  /** Heading under which the parent's help lists the command. */
  readonly group?: string | undefined;
  readonly arguments?: readonly ArgumentDefinition[] | undefined;
  readonly options?: readonly OptionDefinition[] | undefined;
  readonly examples?: readonly Example[] | undefined;
  /** Whether the command has the options that determine where the log is. Default false. */
  readonly usesPlace?: boolean | undefined;
  readonly commands?: readonly CommandDefinition[] | undefined;
  /** Imports the implementation, when the command is run. */
  readonly load?: (() => Promise<CommandModule>) | undefined;
}

export interface ArgumentDefinition {
  readonly name: string;
  readonly description: string;
  /** Default true. */
  readonly isRequired?: boolean | undefined;
  /** Whether the argument takes all remaining words; only for the last argument. Default false. */
  readonly isVariadic?: boolean | undefined;
  /** Converts the text. @throws UsageError */
  readonly parse?: ((text: string) => unknown) | undefined;
  /** The candidates that completion offers. */
  readonly completes?: Completion | undefined;
}

export interface OptionDefinition {
  /** "-n, --count <number>", in commander's notation. */
  readonly flags: string;
  readonly description: string;
  /** As `--help` shows it; the implementation applies it. */
  readonly defaultText?: string | undefined;
  readonly choices?: readonly string[] | undefined;
  /** May be given several times, as a list. Default false. */
  readonly isRepeatable?: boolean | undefined;
  /** Converts the text. @throws UsageError */
  readonly parse?: ((text: string) => unknown) | undefined;
  readonly completes?: Completion | undefined;
}

export type Completion = "topic" | "group" | "snapshot" | "profile" | "file" | "directory";

export interface Example {
  /** What the command line does. */
  readonly title: string;
  readonly line: string;
}

/** What `load` imports. The arguments come in the order of their definitions. */
export interface CommandModule {
  // biome-ignore lint/suspicious/noExplicitAny: each command has options and arguments of its own
  run(context: Context, options: any, ...args: any[]): Promise<void>;
}

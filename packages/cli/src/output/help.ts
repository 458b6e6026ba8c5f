import type { HelpConfiguration } from "commander";
import type { Style } from "./style.js";

/** How commander lays out and colours `--help`. */
export function styledHelp(style: Style, width: number | undefined): HelpConfiguration {
  return {
    helpWidth: Math.min(width ?? 100, 120),
    sortSubcommands: false,
    showGlobalOptions: false,
    styleTitle: (text) => style("bold", text),
    styleCommandText: (text) => style("cyan", text),
    styleSubcommandText: (text) => style("cyan", text),
    styleOptionText: (text) => style("green", text),
    styleArgumentText: (text) => style("yellow", text),
    subcommandTerm: (command) => {
      const args = command.registeredArguments.map((argument) => {
        const name = argument.name() + (argument.variadic ? "..." : "");
        return argument.required ? `<${name}>` : `[${name}]`;
      });
      return [command.name(), ...args].join(" ");
    },
  };
}

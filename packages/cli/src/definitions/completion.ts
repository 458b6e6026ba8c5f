import { outputOptions, placeOptions } from "./common-options.js";
import type { CommandDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";

const shells = [
  ["bash", "source <(logstore completion bash)", "~/.bashrc"],
  ["zsh", "source <(logstore completion zsh)", "~/.zshrc, after compinit"],
  ["fish", "logstore completion fish | source", "~/.config/fish/config.fish"],
  ["powershell", "logstore completion powershell | Out-String | Invoke-Expression", "$PROFILE"],
] as const;

/** @param commands those that are completed */
export function completionCommand(commands: () => readonly CommandDefinition[]): CommandDefinition {
  return {
    name: "completion",
    summary: "print a script that completes commands, options and names",
    group: commandGroups.setup,
    commands: [
      ...shells.map(([shell, line, file]) => ({
        name: shell,
        summary: `print the script for ${shell}`,
        examples: [{ title: `In ${file}`, line }],
        load: async () => (await import("../completion/completion.js")).printScript(shell),
      })),
      {
        name: "candidates",
        summary: "print what may come next: the scripts ask it",
        arguments: [{ name: "word", description: "what was typed, after --", isRequired: false, isVariadic: true }],
        load: async () => {
          const { printCandidates } = await import("../completion/completion.js");
          return printCandidates(commands(), { place: placeOptions, output: outputOptions });
        },
      },
    ],
  };
}

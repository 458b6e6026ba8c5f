// The definitions of all commands, which the reference in the documentation is made from.
export type {
  ArgumentDefinition,
  CommandDefinition,
  Example,
  OptionDefinition,
} from "./definitions/definition.js";
export { commands } from "./definitions/index.js";

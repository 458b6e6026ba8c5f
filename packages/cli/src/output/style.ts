/**
 * Colours of the output, which depend on the terminal and the variables NO_COLOR and FORCE_COLOR.
 */
import { styleText } from "node:util";
import type { Environment } from "./environment.js";

export type Format = Parameters<typeof styleText>[0];
/** Returns the text in a format, or unchanged if colours are disabled. */
export type Style = (format: Format, text: string) => string;

export const plain: Style = (_, text) => text;
export const coloured: Style = (format, text) => styleText(format, text, { validateStream: false });

export type ColorWhen = "auto" | "always" | "never";

/** Whether a stream gets colours. An option comes before variables, NO_COLOR before FORCE_COLOR. */
export function hasColors(when: ColorWhen, isTerminal: boolean, environment: Environment): boolean {
  if (when !== "auto") return when === "always";
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && TERM !== "dumb";
}

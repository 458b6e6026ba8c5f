/** The colours of the show; none where the terminal has none, or with NO_COLOR. */
import { styleText } from "node:util";

const MEMBERS = ["cyan", "magenta", "yellow"] as const;

/** The same colour for the same member; grey for none. */
export function ofMember(name: string | undefined, text: string): string {
  return name === undefined ? dim(text) : styleText(MEMBERS[Number(name.at(-1)) % MEMBERS.length]!, text);
}

export const bold = (text: string): string => styleText("bold", text);
export const dim = (text: string): string => styleText("dim", text);
export const good = (text: string): string => styleText("green", text);
export const bad = (text: string): string => styleText("red", text);

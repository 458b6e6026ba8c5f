/** Names that peers send: of topics, groups, snapshots and services. */
import { InvalidArgumentError } from "@logstore/codec";

/** The longest valid name: "topic/" and the longest topic. */
const MAX_NAME_LENGTH = 255;

export function isTooLong(name: string): boolean {
  return name.length > MAX_NAME_LENGTH;
}

/** Called before a name is compared, stored or reported. @throws InvalidArgumentError */
export function checkNameLength(name: string): void {
  if (isTooLong(name))
    throw new InvalidArgumentError(`a name of ${name.length} characters is longer than any valid name`);
}

/** Refuses durabilities that an engine does not offer. Shared by all engines. */
import { InvalidArgumentError } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";

/**
 * Returns the durability. A misspelt one must not be taken for the weaker one, nor one that the
 * engine cannot provide.
 *
 * @param offered weakest first
 * @throws InvalidArgumentError
 */
export function checkDurability(durability: Durability, offered: readonly Durability[]): Durability {
  if (offered.includes(durability)) return durability;
  const names = offered.toReversed().map((each) => JSON.stringify(each));
  throw new InvalidArgumentError(`durability is ${names.join(" or ")}, not ${JSON.stringify(durability)}`);
}

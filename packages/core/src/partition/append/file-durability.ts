/** The durabilities that files offer. */
import type { Durability } from "@logstore/protocol";
import { checkDurability } from "../../engine/append/check-durability.js";

/** Weakest first. */
export const FILE_DURABILITIES = ["written", "flushed"] as const satisfies readonly Durability[];

/** @throws InvalidArgumentError */
export function checkFileDurability(durability: Durability): Durability {
  return checkDurability(durability, FILE_DURABILITIES);
}

/** The parked records to which a command applies. */
import type { ParkedRecord } from "@logstore/client";
import { textOf } from "../../values/text-or-bytes.js";

export interface SelectionOptions {
  /** Offsets in the parked topic. */
  readonly offset?: readonly number[];
  readonly key?: readonly string[];
  readonly reason?: string;
}

export function selects({ offset, key, reason }: SelectionOptions): (record: ParkedRecord) => boolean {
  return (record) => {
    if (offset !== undefined && !offset.includes(record.parkedOffset)) return false;
    if (key !== undefined && (record.key === null || !key.includes(textOf(record.key) ?? ""))) return false;
    return reason === undefined || record.reason.includes(reason);
  };
}

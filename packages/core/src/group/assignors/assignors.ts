import type { AssignorName } from "@logstore/protocol";
import type { Assignor } from "./assignor.js";
import { range } from "./range.js";
import { roundRobin } from "./round-robin.js";
import { sticky } from "./sticky.js";

/** The assignors by the names that members request. */
export const assignors: Readonly<Record<AssignorName, Assignor>> = { sticky, range, "round-robin": roundRobin };

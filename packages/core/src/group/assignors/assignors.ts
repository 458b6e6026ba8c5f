import type { AssignorName } from "@logstore/protocol";
import type { Assignor } from "./assignor.js";
import { range } from "./range.js";
import { roundRobin } from "./round-robin.js";
import { sticky } from "./sticky.js";

/** By the names that members may ask for. */
export const assignors: Readonly<Record<AssignorName, Assignor>> = { sticky, range, "round-robin": roundRobin };

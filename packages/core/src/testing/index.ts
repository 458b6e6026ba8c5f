/**
 * For tests of applications that keep data in a log store: a disk in memory that can lose power at
 * any call, fail, or rot. A seed makes each run repeatable.
 */

export type { Call, CallKind } from "./calls.js";
export { randomDelays } from "./delays.js";
export { MachineStoppedError } from "./disk-errors.js";
export { type Fault, type FaultOptions, faults } from "./faults.js";
export type { Machine } from "./machine.js";
export { type PowerCutOutcome, powerCutOutcomes } from "./power-cut.js";
export { Random } from "./random.js";
export { SimulatedDisk, type SimulatedDiskOptions } from "./simulated-disk.js";

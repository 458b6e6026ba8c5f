/**
 * When an append is acknowledged. `written`: the records survive a crash of the process. `flushed`:
 * they survive a power failure.
 */
export type Durability = "written" | "flushed";

/** `written`: survives the process. `flushed`: survives a power cut. */
export type Durability = "written" | "flushed";

/**
 * What an acknowledgement promises. `written`: the records survive a crash of the process that
 * stores them. `replicated`: a quorum of replicas has them in memory, and they survive the loss of
 * any minority of machines, but not a power failure of all. `flushed`: they are on disk and survive
 * a power failure; where an engine replicates, on the disks of a quorum.
 *
 * Which of them a topic offers is in its description.
 */
export type Durability = "written" | "replicated" | "flushed";

/** Partitions that are looked at between two steps. */
export const STEP_PARTITIONS = 500;

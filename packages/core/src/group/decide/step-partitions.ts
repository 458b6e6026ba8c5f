/** Number of partitions between two steps. */
export const STEP_PARTITIONS = 500;

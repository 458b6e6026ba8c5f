/** Settings of a benchmark run. */
export interface Settings {
  /** A temporary directory on the disk that is measured. */
  readonly directory: string;
  /** Records per run in throughput measurements. */
  readonly records: number;
  /** Number of pairs of runs. */
  readonly rounds: number;
  /** Length of the large store's log. */
  readonly storeBytes: number;
  /** Number of partitions of the store of many partitions. */
  readonly partitions: number;
}

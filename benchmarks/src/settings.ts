/** What a run of the benchmarks was told. */
export interface Settings {
  /** A directory of this run's own: the disk that is measured. */
  readonly directory: string;
  /** Records of a run where throughput is measured. */
  readonly records: number;
  /** Pairs of runs. */
  readonly rounds: number;
  /** Length of the large store's log. */
  readonly storeBytes: number;
  /** How many the store of many partitions has. */
  readonly partitions: number;
}

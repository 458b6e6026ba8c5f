/** Measures the most processor time that this thread spends in one turn of the event loop. */
export class LoopCpu {
  #isOver = false;
  #max = 0;
  #last = usage();

  constructor() {
    this.#look();
  }

  /** In ms. */
  stop(): number {
    this.#isOver = true;
    return Math.round(this.#max / 1000);
  }

  #look(): void {
    const { user, system } = usage(this.#last);
    this.#last = usage();
    this.#max = Math.max(this.#max, user + system);
    if (!this.#isOver) setImmediate(() => this.#look());
  }
}

/** Of the whole process if the version of Node cannot measure a single thread. */
function usage(since?: NodeJS.CpuUsage): NodeJS.CpuUsage {
  return process.threadCpuUsage?.(since) ?? process.cpuUsage(since);
}

/**
 * The most processor time of one turn of the event loop, independent of the load of the machine.
 */
export class BusyTurns {
  mostMs = 0;
  #last = busyMs();

  constructor(everyMs = 1) {
    setInterval(() => {
      const now = busyMs();
      this.mostMs = Math.max(this.mostMs, now - this.#last);
      this.#last = now;
    }, everyMs);
  }

  begin(): void {
    this.mostMs = 0;
    this.#last = busyMs();
  }
}

function busyMs(): number {
  // Newer than the types that the packages are compiled with.
  const { user, system } = (process as unknown as { threadCpuUsage(): NodeJS.CpuUsage }).threadCpuUsage();
  return (user + system) / 1_000;
}

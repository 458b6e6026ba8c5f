/** Keeps the recent rates of each topic, and draws them as small bars. */
const BARS = "▁▂▃▄▅▆▇█";
const LENGTH = 12;

export class RateHistory {
  readonly #rates = new Map<string, number[]>();

  add(rows: readonly { readonly topic: string; readonly perSecond: number }[]): void {
    const there = new Set(rows.map(({ topic }) => topic));
    for (const topic of this.#rates.keys()) if (!there.has(topic)) this.#rates.delete(topic);
    for (const { topic, perSecond } of rows) {
      this.#rates.set(topic, [...(this.#rates.get(topic) ?? []), perSecond].slice(-LENGTH));
    }
  }

  /** The newest rate is on the right. The highest rate is a full bar. */
  bars(topic: string): string {
    const rates = this.#rates.get(topic) ?? [];
    const most = Math.max(...rates, 1e-9);
    const bar = (rate: number) => (rate <= 0 ? " " : BARS[Math.min(7, Math.floor((rate / most) * 8))]!);
    return rates.map(bar).join("").padStart(LENGTH);
  }
}

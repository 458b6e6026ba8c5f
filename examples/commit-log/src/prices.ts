/**
 * The data: monthly share prices of five companies from 2000 to 2010, from the npm package
 * vega-datasets.
 */
import { readFileSync } from "node:fs";

export interface Price {
  readonly symbol: string;
  /** First day of the month, "2000-01-01". */
  readonly date: string;
  /** US dollars. */
  readonly price: number;
}

/** Returns the prices in chronological order. */
export function readPrices(): Price[] {
  const file = new URL("../data/stocks.csv", import.meta.resolve("vega-datasets"));
  const [, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n"); // the first line has the column names
  const prices = lines.map((line) => {
    const [symbol = "", date = "", price = ""] = line.split(",");
    const day = new Date(`${date} UTC`).toISOString().slice(0, 10);
    return { symbol, date: day, price: Number(price) };
  });
  return prices.sort((a, b) => a.date.localeCompare(b.date));
}

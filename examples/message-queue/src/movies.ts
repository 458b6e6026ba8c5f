/** The tasks: publish a page for each of 3,201 movies, from the npm package vega-datasets. */
import { readFileSync } from "node:fs";

export interface Movie {
  /** Its position in the file. */
  readonly id: number;
  /** The declared type, which some entries of the file do not have. */
  readonly title: string;
  readonly distributor: string | null;
}

export function readMovies(): Movie[] {
  const file = new URL("../data/movies.json", import.meta.resolve("vega-datasets"));
  const rows: { Title: string; Distributor: string | null }[] = JSON.parse(readFileSync(file, "utf8"));
  return rows.map(({ Title, Distributor }, id) => ({ id, title: Title, distributor: Distributor }));
}

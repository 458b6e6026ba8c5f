/** A title as part of an address: "The Land Girls" is the-land-girls. */
import type { Movie } from "./movies.ts";

export type Slug = (movie: Movie) => string;

/** As it was first deployed. */
export const hopefulSlug: Slug = ({ title }) => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");

/**
 * After somebody has looked at what was parked: "300" is a number in the file, and one movie has no
 * title.
 */
export const fixedSlug: Slug = (movie) => hopefulSlug({ ...movie, title: String(movie.title ?? `movie ${movie.id}`) });

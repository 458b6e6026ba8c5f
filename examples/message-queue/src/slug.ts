/** A title as part of a URL: "The Land Girls" becomes the-land-girls. */
import type { Movie } from "./movies.ts";

export type Slug = (movie: Movie) => string;

/** The first version, which fails for some movies. */
export const hopefulSlug: Slug = ({ title }) => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");

/** The fixed version: "300" is a number in the file, and one movie has no title. */
export const fixedSlug: Slug = (movie) => hopefulSlug({ ...movie, title: String(movie.title ?? `movie ${movie.id}`) });

/** The site that the workers update, with a page for each movie. Some of its calls fail. */
import { setImmediate } from "node:timers/promises";
import type { Movie } from "./movies.ts";

/** One call in this many fails. */
const FAILS_EACH = 50;

export class Website {
  /**
   * URLs of pages by movie. A task may be processed twice, so publishing a movie again must have no
   * effect.
   */
  readonly pages = new Map<number, string>();
  /** Movies that were published after a later one of the same distributor. */
  readonly late: Movie[] = [];
  readonly #latest = new Map<string, number>();
  #calls = 0;

  async publish(movie: Movie, slug: string): Promise<void> {
    await setImmediate();
    if (++this.#calls % FAILS_EACH === 0) throw new Error("the site does not answer");
    this.pages.set(movie.id, `/${slug}`);
    const { id, distributor } = movie;
    if (distributor === null) return;
    if (id < (this.#latest.get(distributor) ?? 0)) this.late.push(movie);
    else this.#latest.set(distributor, id);
  }
}

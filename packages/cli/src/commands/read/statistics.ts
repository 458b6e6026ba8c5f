/** Prints a summary of a run of `read` or `tail` on stderr. */
import type { Context } from "../../command/context.js";
import { bytes, count, counted, duration } from "../../output/numbers.js";
import type { RecordFilter } from "./filter.js";

export class Statistics {
  readonly #startedAt = performance.now();
  read = 0;
  shown = 0;
  shownBytes = 0;

  report({ output }: Context, filter: RecordFilter): void {
    const { failures, firstFailure, description } = filter;
    if (failures > 0) {
      output.warn(`the expression failed at ${counted(failures, "record")}, first at ${firstFailure}`);
    }
    const ms = performance.now() - this.#startedAt;
    const rate = ms > 0 ? (this.read * 1000) / ms : 0;
    const took = `in ${duration(ms)} (${count(rate)}/s)`;
    if (description === undefined) {
      output.note(`${counted(this.read, "record")}, ${bytes(this.shownBytes)} ${took}`);
    } else if (this.shown === 0) {
      output.note(`none of ${counted(this.read, "record")} matched ${description}, ${took}`);
    } else {
      const matched = `${count(this.shown)} of ${counted(this.read, "record")} matched`;
      output.note(`${matched}, ${bytes(this.shownBytes)} ${took}`);
    }
  }
}

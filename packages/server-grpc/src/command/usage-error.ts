/** Invalid usage of the command; each problem is one line with the reason and the remedy. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly problems: readonly string[];

  constructor(...problems: string[]) {
    super(problems.join("\n"));
    this.problems = problems.map((problem) => problem.replaceAll(/\s+/g, " "));
  }
}

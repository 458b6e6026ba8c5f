/** What was asked for makes no sense; each problem is a line that says why and what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly problems: readonly string[];

  constructor(...problems: string[]) {
    super(problems.join("\n"));
    this.problems = problems.map((problem) => problem.replaceAll(/\s+/g, " "));
  }
}

/** The expected log of an attack: one line for each refusal, up to a rate, and nothing else. */

export interface Told {
  readonly refused: "connection" | "call";
  readonly reason: RegExp;
  readonly method?: string;
  readonly principal?: string;
  readonly code?: string;
  /** Default: one. "some": as many as the rate allows. */
  readonly lines?: number | "some";
}

const LINES_PER_SECOND = 10;

/**
 * A line of the log in either format. A longer line would repeat peer input of arbitrary length.
 */
const LINE = /^(\{.*"msg":"a (call|connection) was refused"\}|\S+ WARN a (call|connection) was refused .*)$/;
const MAX_LINE_LENGTH = 8_000;
/** These control characters affect whoever reads the log in a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const peer = /^(127\.0\.0\.1:\d+|a peer that is gone)$/;

/** Problems of these lines that are independent of the attack. */
export function unexpectedLines(lines: readonly string[], elapsedMs: number): string[] {
  const unexpected = lines
    .filter((line) => !LINE.test(line) || CONTROL.test(line) || line.length > MAX_LINE_LENGTH)
    .map((line) => `a line of ${line.length} characters: ${JSON.stringify(line.slice(0, 500))}`);
  // A burst of the previous attack may be logged late, and one is allowed.
  const most = 2 * LINES_PER_SECOND + (elapsedMs / 1_000) * LINES_PER_SECOND;
  return lines.length > most ? [...unexpected, `${lines.length} lines in ${elapsedMs} ms`] : unexpected;
}

/** The lines that are not as expected, and whether there are too many or too few. */
export function wrongLines({ refused, lines: count = 1, reason, ...exact }: Told, lines: readonly string[]): string[] {
  const expected = { level: "warn", msg: `a ${refused} was refused`, ...exact };
  const wrong = lines.filter((line) => {
    const fields = JSON.parse(line);
    const same = Object.entries(expected).every(([name, value]) => fields[name] === value);
    return !same || !reason.test(fields.reason) || !peer.test(fields.peer);
  });
  const enough = count === "some" ? lines.length > 0 : lines.length === count;
  return enough ? wrong : [...wrong, `${lines.length} lines, not ${count}: ${lines.join(" ")}`];
}

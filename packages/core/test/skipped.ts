/** Prints why a test is skipped: something that it needs is not available. */
export function skipped(why: string): void {
  process.stdout.write(`skipped: ${why}\n`);
}

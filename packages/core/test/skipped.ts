/** Says why a test shows nothing here: something that it needs is not to be had. */
export function skipped(why: string): void {
  process.stdout.write(`skipped: ${why}\n`);
}

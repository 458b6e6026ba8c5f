/** What a run is doing, on stderr. */
export function progress(text: string): void {
  console.error(`… ${text}`);
}

/** What a page says in a way of its own, in the words of the site's Markdown. */

/** Languages of code blocks that the highlighter does not know. */
const PLAIN = /^```(?:hex|request|answer)$/gm;
/** The note before a code block that says why the tests do not run it: readers see it, too. */
const NOT_RUN = /^<!-- not run: (.+?) -->$/gm;

export function adapted(text: string): string {
  return text.replaceAll(PLAIN, "```text").replaceAll(NOT_RUN, '<p class="not-run">Not run by the tests: $1.</p>\n');
}

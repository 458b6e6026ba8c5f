import { UsageError } from "../errors/cli-error.js";

/** The process runs the server in place of this command, unless options stand before its name. */
export async function run(): Promise<void> {
  throw new UsageError("serve must come first: logstore serve --data DIRECTORY");
}

import { UsageError } from "./usage-error.js";

/**
 * Loads an optional package.
 *
 * @throws UsageError if it is not installed
 */
export async function installed<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UsageError(`engine jetstream needs the package ${name}, which is not installed: npm install ${name}`);
  }
}

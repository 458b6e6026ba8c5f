/** The packages of this checkout, or of another one that has been built. */
import { pathToFileURL } from "node:url";

export function packageOf<Module>(name: string, checkout: string | undefined): Promise<Module> {
  if (checkout === undefined) return import(`@logstore/${name}`);
  return import(`${pathToFileURL(checkout).href}/packages/${name}/dist/index.js`);
}

/**
 * Makes the process resolve packages like a bundler for browsers, and hides Node's own features
 * from everything that is imported afterwards. `print` remains.
 */
import { isBuiltin, registerHooks } from "node:module";

const { stdout } = process;

export const print = (text) => stdout.write(`${text}\n`);

registerHooks({
  resolve(specifier, context, next) {
    if (isBuiltin(specifier)) throw new Error(`a browser has no ${specifier}`);
    return next(specifier, { ...context, conditions: ["browser", "import", "default"] });
  },
});

for (const name of ["process", "Buffer", "global", "setImmediate", "clearImmediate"]) delete globalThis[name];

/**
 * Makes the process resolve packages as a browser's bundler does and takes Node's own things away from what it imports
 * from here on. What a program prints is kept in `print`.
 */
import { isBuiltin, registerHooks } from "node:module";

export const print = console.log.bind(console);

registerHooks({
  resolve(specifier, context, next) {
    if (isBuiltin(specifier)) throw new Error(`a browser has no ${specifier}`);
    return next(specifier, { ...context, conditions: ["browser", "import", "default"] });
  },
});

for (const name of ["process", "Buffer", "global", "setImmediate", "clearImmediate"]) delete globalThis[name];

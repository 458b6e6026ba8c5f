// For `node --import`: runs the TypeScript sources directly, although their imports name the
// compiled files.
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.startsWith(".") || context.parentURL?.includes("/node_modules/")) return next(specifier, context);
    try {
      return next(specifier, context);
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      return next(specifier.replace(/\.js$/, ".ts"), context);
    }
  },
});

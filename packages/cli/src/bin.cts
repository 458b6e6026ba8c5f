#!/usr/bin/env node
/**
 * The command `logstore`. CommonJS, because both settings below must be made before an ES module is
 * loaded.
 */
/** A command that serves keeps more threads for its disk, as `logstore-server` does. */
if (["dev", "serve"].includes(process.argv[2] ?? "")) process.env["UV_THREADPOOL_SIZE"] ||= "128";
// grpc-js would log what the command reports itself.
process.env["GRPC_VERBOSITY"] ||= "NONE";
// Undefined in old versions of Node, which main.ts refuses.
process.getBuiltinModule?.("node:module").enableCompileCache?.();
void import("./main.js");

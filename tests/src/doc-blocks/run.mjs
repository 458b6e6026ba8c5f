/**
 * Runs programs one after another in this process, each in a directory of its own: those of the
 * JSON file that is named. Prints a line of JSON for each with what it printed, the first and the
 * second time, or its error.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";

const TIMEOUT_MS = 30_000;
const { directory, modules } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const original = console.log;
let lines = [];
for (const name of ["log", "info", "warn", "error"]) console[name] = (...values) => lines.push(format(...values));
process.on("warning", ({ name, message }) => lines.push(`${name}: ${message}`));

for (const [index, module] of modules.entries()) {
  const home = join(directory, String(index));
  mkdirSync(home);
  process.chdir(home);
  original(JSON.stringify(await outcome(module)));
}

async function outcome(module) {
  const code = readFileSync(module, "utf8");
  const broker = code.includes("localhost:7411") ? await Broker.open(":memory:") : undefined;
  const server = broker && (await serve(broker, { port: 0 }));
  const placed = module.replace(/\.js$/, ".placed.js");
  writeFileSync(placed, code.replaceAll("localhost:7411", server?.address ?? ""));
  try {
    return { first: await printed(placed, 1), second: await printed(placed, 2) };
  } catch (error) {
    return { error: format(error), printed: lines };
  } finally {
    await server?.stop();
    await broker?.close();
  }
}

async function printed(module, time) {
  lines = [];
  const tooLong = Promise.withResolvers();
  const timer = setTimeout(() => tooLong.reject(new Error(`it goes on after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  await Promise.race([import(`${pathToFileURL(module)}?time=${time}`), tooLong.promise]);
  clearTimeout(timer);
  return lines;
}

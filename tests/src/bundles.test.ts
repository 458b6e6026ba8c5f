/**
 * A program that uses the client can be bundled with the usual bundlers, and the bundle runs where
 * nothing is installed.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import * as esbuild from "esbuild";
import * as vite from "vite";
import { expect, onTestFinished, test } from "vitest";
import webpack from "webpack";

const program = `
import { connect, text } from "@logstore/client";
async function main() {
  const client = connect(process.argv[2]);
  await client.createTopic("t", { partitions: 1 });
  await client.producer("t").send({ value: "sent" });
  for await (const { value } of client.reader({ assign: { t: [0] }, until: "latest", value: text() })) console.log(value);
  await client.describeTopic("none").catch((error) => console.log(error.code));
  await client.close();
}
main();
`;

/** Each bundles `entry` into `output`. */
const bundlers: { readonly [name: string]: (entry: string, directory: string) => Promise<string> } = {
  "esbuild, ES module": async (entry, directory) => {
    const outfile = join(directory, "bundle.mjs");
    // Bundled CommonJS modules load Node's modules with require.
    const banner = {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    };
    await esbuild.build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", outfile, banner });
    return outfile;
  },
  "esbuild, CommonJS": async (entry, directory) => {
    const outfile = join(directory, "bundle.cjs");
    await esbuild.build({ entryPoints: [entry], bundle: true, platform: "node", format: "cjs", outfile });
    return outfile;
  },
  vite: async (entry, directory) => {
    await vite.build({
      configFile: false,
      logLevel: "silent",
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        outDir: directory,
        emptyOutDir: false,
        rollupOptions: { output: { entryFileNames: "bundle.mjs" } },
      },
    });
    return join(directory, "bundle.mjs");
  },
  webpack: async (entry, directory) => {
    const compiler = webpack({
      mode: "production",
      target: "node22",
      entry,
      optimization: { minimize: false },
      output: { path: directory, filename: "bundle.cjs" },
    });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error) reject(error);
        else if (stats?.hasErrors()) reject(new Error(stats.toString("errors-only")));
        else resolve();
      });
    });
    await new Promise((resolve) => compiler.close(resolve));
    return join(directory, "bundle.cjs");
  },
};

test.each(Object.keys(bundlers))("%s", async (name) => {
  const broker = await Broker.open(":memory:");
  const server = await serve(broker, { port: 0 });
  const directory = mkdtempSync(join(tmpdir(), "logstore-bundle-"));
  // Next to the packages, so that they are found.
  const entry = join(import.meta.dirname, `bundled-${process.pid}-${name.replace(/\W/g, "")}.mjs`);
  writeFileSync(entry, program);
  onTestFinished(async () => {
    rmSync(entry);
    rmSync(directory, { recursive: true });
    await server.stop();
    await broker.close();
  });
  const bundle = await bundlers[name]!(entry, directory);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [bundle, server.address], {
    cwd: directory,
  });
  expect({ stdout, stderr }).toEqual({ stdout: "sent\nUNKNOWN_TOPIC\n", stderr: "" });
});

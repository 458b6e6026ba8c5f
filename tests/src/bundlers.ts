/** The usual bundlers, for programs that run on Node. */
import { join } from "node:path";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";

/** Each bundles `entry` into `output`. */
export const nodeBundlers: { readonly [name: string]: (entry: string, directory: string) => Promise<string> } = {
  "esbuild, ES module": async (entry, directory) => {
    const outfile = join(directory, "bundle.mjs");
    // Bundled CommonJS modules load Node's modules with require.
    const banner = {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    };
    await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      platform: "node",
      logLevel: "silent",
      format: "esm",
      outfile,
      banner,
    });
    return outfile;
  },
  "esbuild, CommonJS": async (entry, directory) => {
    const outfile = join(directory, "bundle.cjs");
    await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      platform: "node",
      logLevel: "silent",
      format: "cjs",
      outfile,
    });
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

/** Bundles the client for Node, and the codec for a browser, and runs the bundles there. */
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";
import { nodeBundlers } from "../bundlers.ts";
import { expectSaid, install } from "./packages.ts";
import { type Place, run } from "./processes.ts";
import { type Report, SkippedError } from "./report.ts";
import type { Served } from "./served.ts";
import type { Workshop } from "./workshop.ts";

/** Each bundles `entry` into a classic script. */
type Bundle = (entry: string, outfile: string, workshop: Workshop) => Promise<string>;

const browserBundlers: Readonly<Record<string, Bundle>> = {
  async esbuild(entry, outfile) {
    await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      logLevel: "silent",
      format: "iife",
      minify: true,
      outfile,
    });
    return esbuild.version;
  },
  async Vite(entry, outfile) {
    await vite.build({
      configFile: false,
      logLevel: "silent",
      root: join(entry, ".."),
      build: {
        lib: { entry, formats: ["iife"], name: "program", fileName: () => "bundle.js" },
        outDir: join(outfile, ".."),
        emptyOutDir: false,
      },
    });
    return vite.version;
  },
  async Rollup(entry, outfile, workshop) {
    const { rollup, VERSION } = await import(
      pathToFileURL(join(await workshop.tool("rollup"), "dist/es/rollup.js")).href
    );
    const plugin = await workshop.tool("@rollup/plugin-node-resolve");
    const { nodeResolve } = await import(pathToFileURL(join(plugin, "dist/es/index.js")).href);
    const bundle = await rollup({ input: entry, plugins: [nodeResolve({ browser: true })], logLevel: "silent" });
    await bundle.write({ file: outfile, format: "iife", name: "program" });
    await bundle.close();
    return VERSION;
  },
  async webpack(entry, outfile) {
    const output = { path: join(outfile, ".."), filename: "bundle.js" };
    const compiler = webpack({ mode: "production", target: "web", entry, output });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error) reject(error);
        else if (stats?.hasErrors()) reject(new Error(stats.toString("errors-only")));
        else resolve();
      });
    });
    await new Promise((resolve) => compiler.close(resolve));
    return webpack.version;
  },
};

export async function checkBundlers(report: Report, workshop: Workshop, served: Served): Promise<void> {
  const place = workshop.app("bundled");
  await install(workshop, "npm", place, ["@logstore/client", "@logstore/codec"]);
  for (const name of Object.keys(browserBundlers)) {
    await report.check(name, "codec for a browser", () => bundledCodec(workshop, place, name));
  }
  for (const [name, bundle] of Object.entries(nodeBundlers)) {
    await report.check(name === "vite" ? "Vite" : name, "client for Node", async () => {
      const directory = join(place.cwd, `node-${name.replace(/\W/g, "")}`);
      mkdirSync(directory);
      const bundled = await bundle(join(place.cwd, "programs/client.mjs"), directory);
      const topic = `bundled-by-${name.replace(/\W+/g, "-")}`;
      const said = await run(process.execPath, [bundled, served.address, topic], { ...place, cwd: directory });
      expectSaid(said, "client");
      return kB(bundled);
    });
  }
}

async function bundledCodec(workshop: Workshop, place: Place, name: string): Promise<string> {
  const directory = join(place.cwd, `browser-${name}`);
  mkdirSync(directory);
  const bundle = join(directory, "bundle.js");
  const version = await browserBundlers[name]!(join(place.cwd, "programs/codec.mjs"), bundle, workshop);
  const browser = [process.env["CHROME_PATH"], "chromium", "chromium-browser", "google-chrome"].find(
    (command) => command && spawnSync(command, ["--version"]).status === 0,
  );
  if (browser === undefined) throw new SkippedError(`bundled by ${version}, but there is no Chromium to run it in`);
  const page = join(directory, "index.html");
  writeFileSync(page, '<!doctype html><meta charset="utf-8"><body><script src="bundle.js"></script>');
  const profile = `--user-data-dir=${join(directory, "profile")}`;
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", profile];
  const dom = await run(browser, [...flags, "--dump-dom", pathToFileURL(page).href], place);
  expectSaid(/<body>(.*?)<\/body>/s.exec(dom)?.[1]?.replace(/<[^>]*>/g, "") ?? dom, "codec");
  return `${version}, ${kB(bundle)}`;
}

function kB(file: string): string {
  return `${Math.round(statSync(file).size / 1000)} kB`;
}

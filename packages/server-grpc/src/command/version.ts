import { readFileSync } from "node:fs";

/** Version of this package: "0.1.0". */
export const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

import { expect, test } from "vitest";
import { detailOf, failure } from "../../test/foreign-client.js";
import { allow, tlsHome, tokensOf } from "../../test/tls-home.js";
import { parseCommandLine } from "./command-line.js";
import { loadConfig } from "./config.js";
import { openLog } from "./log.js";
import { Reloader } from "./reloader.js";

test("if access or certificates cannot be applied, the other is, and the failed part is named", async () => {
  const { server, client, ca, files } = await tlsHome({ access: { tokens: tokensOf("a", "b"), rules: [] } });
  const config = {
    data: "d",
    tls: { certFile: files.path("cert.pem"), keyFile: files.path("key.pem") },
    access: { tokens: tokensOf("a", "b"), rules: [allow("a", ["*"], "*")] },
    log: { level: "info", format: "json" },
  };
  await files.write("logstore.json", JSON.stringify(config));
  const commandLine = parseCommandLine(["--config", files.path("logstore.json")]);
  if (typeof commandLine === "string") throw new Error("no help was asked for");
  const started = (await loadConfig(commandLine, {})).config;
  const lines: { readonly level: string; readonly [field: string]: unknown }[] = [];
  const { log } = openLog(started.log, (line) => void lines.push(JSON.parse(line)));
  const reloader = new Reloader(commandLine, started, {}, server, log);

  const [pair, other] = await Promise.all([ca.issue(["next"]), ca.issue(["other"])]);
  await files.write("cert.pem", pair.cert);
  await files.write("key.pem", other.key);
  await reloader.reload();
  expect(lines.splice(0)).toMatchObject([
    { level: "error", part: "certificates" },
    { level: "info", applied: ["access"] },
  ]);
  expect(await client({ token: "a" }).call("ListTopics", {})).toMatchObject({ topics: [{ topic: "t" }] });

  await files.write("key.pem", pair.key);
  const jwt = { issuer: "https://issuer.example", audience: "logstore", jwksFile: files.path("none.json") };
  await files.write("logstore.json", JSON.stringify({ ...config, access: { jwt, rules: [allow("b", ["*"], "*")] } }));
  await reloader.reload();
  expect(lines).toMatchObject([
    { level: "error", part: "access" },
    { level: "info", applied: ["certificates"] },
  ]);
  await client({ token: "a" }).call("ListTopics", {});
  expect(detailOf(await failure(client({ token: "b" }).call("ListTopics", {}))).code).toBe("PERMISSION_DENIED");
});

import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logstore } from "./command.js";

let directory: string;
const file = () => join(directory, "logstore", "profiles.json");
const run = (args: readonly string[], input = "") => logstore(args, { env: { XDG_CONFIG_HOME: directory }, input });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "logstore-profiles-"));
});

afterAll(() => rm(directory, { recursive: true }));

test("profiles are set, listed, shown, used and removed", async () => {
  const set = ["profile", "set", "prod", "--server", "a:7411,b:7411", "--ca-file", "/ca.pem", "--token-stdin"];
  expect((await run(set, "secret\n")).stdout).toBe("profile prod is set\n");
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  await run(["profile", "set", "local", "--data", "/data", "--use"]);
  expect((await run(["profile", "list"])).stdout).toMatchInlineSnapshot(`
    "   PROFILE  PLACE          KIND       TLS  TOKEN
       prod     a:7411,b:7411  server     yes  yes
    *  local    /data          directory  -    -
    "
  `);
  expect((await run(["profile", "show", "prod"])).stdout).toMatchInlineSnapshot(`
    "kind      server
    place     a:7411,b:7411
    tls       yes
    caFile    /ca.pem
    token     kept here
    origin    profile prod
    "
  `);
  expect((await run(["profile", "show", "--json"])).stdout).toBe(
    '{"kind":"directory","place":"/data","origin":"profile local"}\n',
  );

  const unknown = await run(["topics", "list", "--profile", "prd"]);
  expect(unknown.stderr).toMatchInlineSnapshot(`
    "error: --profile names an unknown profile (did you mean "prod"?)
    hint:  there are prod, local; logstore profile set prd --server HOST:PORT makes it
    "
  `);
  expect(unknown.code).toBe(2);

  expect((await run(["profile", "remove", "local"])).stdout).toContain("there is none now");
  expect(JSON.parse(await readFile(file(), "utf8"))).toEqual({
    profiles: { prod: { server: "a:7411,b:7411", tls: { caFile: "/ca.pem" }, token: "secret" } },
  });
});

test("a file of profiles that is wrong is an error that names the place", async () => {
  await writeFile(file(), '{"profiles":{"prod":{"sever":"a:7411"}}}');
  const { stderr, code } = await run(["profile", "list"]);
  expect(stderr).toContain('profile prod has an unknown key sever (did you mean "server"?)');
  expect(code).toBe(2);
});

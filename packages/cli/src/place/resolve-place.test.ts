import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PlaceOptions, resolvePlace } from "./resolve-place.js";

let directory: string;
let LOGSTORE_PROFILES: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "logstore-place-"));
  LOGSTORE_PROFILES = join(directory, "profiles.json");
  const profiles = {
    prod: { server: "prod:7411,prod2:7411", tls: { caFile: "/prod.pem" }, tokenFile: "/prod.token" },
    plain: { server: "plain" },
    local: { data: "/local" },
  };
  writeFileSync(LOGSTORE_PROFILES, JSON.stringify({ current: "local", profiles }));
});

afterAll(() => rmSync(directory, { recursive: true }));

const resolve = (options: PlaceOptions, environment: Record<string, string> = {}) =>
  resolvePlace(options, { LOGSTORE_PROFILES, ...environment });
const LOGSTORE_SERVER = "variable:1";
const LOGSTORE_PROFILE = "plain";

test("options come before variables, variables before the current profile, and a place is taken as a whole", async () => {
  const all = { LOGSTORE_SERVER, LOGSTORE_PROFILE };
  expect(await resolve({ server: "a:1, b:2" }, all)).toMatchObject({ seeds: ["a:1", "b:2"], origin: "--server" });
  expect(await resolve({ data: "/d" }, all)).toEqual({ kind: "directory", directory: "/d", origin: "--data" });
  expect(await resolve({ profile: "local" }, all)).toMatchObject({ directory: "/local", origin: "profile local" });
  expect(await resolve({}, all)).toMatchObject({ seeds: ["variable:1"], origin: "LOGSTORE_SERVER" });
  expect(await resolve({}, { LOGSTORE_PROFILE })).toMatchObject({ seeds: ["plain"] });
  expect(await resolve({})).toMatchObject({ directory: "/local" });
  const none = await resolve({}, { LOGSTORE_PROFILES: join(directory, "none.json") });
  expect(none).toMatchObject({ seeds: ["localhost:7411"], origin: "the default" });
});

test("a token of the environment is not sent to a profile's server; options are", async () => {
  const environment = { LOGSTORE_TOKEN: "secret", LOGSTORE_CA_FILE: "/ca.pem" };
  const token = { token: "secret" };
  expect(await resolve({ server: "a:1" }, environment)).toMatchObject({ token, tls: { caFile: "/ca.pem" } });
  const plain = await resolve({ profile: "plain" }, environment);
  expect(plain).toEqual({
    kind: "server",
    seeds: ["plain"],
    tls: undefined,
    token: undefined,
    origin: "profile plain",
  });
  expect(await resolve({ profile: "prod", certFile: "/me.pem" }, environment)).toMatchObject({
    seeds: ["prod:7411", "prod2:7411"],
    tls: { caFile: "/prod.pem", certFile: "/me.pem" },
    token: { tokenFile: "/prod.token" },
  });
  expect(await resolve({ profile: "prod", tokenFile: "/other" })).toMatchObject({ token: { tokenFile: "/other" } });
  expect(await resolve({ profile: "prod", tls: false })).toMatchObject({ tls: undefined });
});

test.each<[PlaceOptions, Record<string, string>, string]>([
  [{ server: "a", data: "/d" }, {}, "--server and --data both say where the log is"],
  [{ profile: "prd" }, {}, '--profile names an unknown profile (did you mean "prod"?)'],
  [{}, { LOGSTORE_PROFILE: "nothing" }, "LOGSTORE_PROFILE names an unknown profile"],
  [{}, { LOGSTORE_SERVER, LOGSTORE_DATA: "/d" }, "LOGSTORE_SERVER and LOGSTORE_DATA both say"],
  [{ server: "a,,b" }, {}, "--server must name servers as HOST:PORT"],
  [{ data: "/d", tls: true }, {}, "the options for TLS and tokens are for servers"],
  [{ server: "a" }, { LOGSTORE_TLS: "yes" }, "LOGSTORE_TLS must be true or false"],
])("%o with %o is refused", async (options, environment, message) => {
  await expect(resolve(options, environment)).rejects.toThrow(message);
});

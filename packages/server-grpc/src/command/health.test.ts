import { expect, test } from "vitest";
import { allow, type TlsHome, type TlsHomeOptions, tlsHome, tokensOf } from "../../test/tls-home.js";
import { run } from "./run.js";

const access = { tokens: tokensOf("a", "b"), rules: [allow("a", ["describe"], "t")] };
const options: TlsHomeOptions = { access, api: { topicHealth: async () => "serving" } };

/** Runs the command for a healthy topic; returns its output and exit code. */
async function health({ server, files }: TlsHome, token?: string) {
  const told: string[] = [];
  const unused = (): never => {
    throw new Error("health starts nothing");
  };
  const port = server.address.split(":").at(-1)!;
  const exit = await run(["health", "topic/t", "--port", port], {
    environment: {
      LOGSTORE_TLS_CERT_FILE: files.path("cert.pem"),
      LOGSTORE_TLS_KEY_FILE: files.path("key.pem"),
      ...(token !== undefined && { LOGSTORE_TOKEN: token }),
    },
    print: (line) => void told.push(line),
    printError: (line) => void told.push(line),
    openBroker: unused,
    readInput: unused,
    stopping: new AbortController().signal,
    onReload: unused,
  });
  return { exit, told: told.join("\n") };
}

test("with access control, a topic's health is reported to a token that may describe it", async () => {
  const served = await tlsHome(options);
  expect(await health(served, "a")).toEqual({ exit: 0, told: "SERVING" });
  for (const token of ["b", "forged", undefined]) expect((await health(served, token)).exit).toBe(1);
  expect(served.refusals.map(({ code }) => code)).toEqual(["PERMISSION_DENIED", "UNAUTHENTICATED", "UNAUTHENTICATED"]);
});

test("a token is not sent to a server whose certificate is not the configured one", async () => {
  const served = await tlsHome(options);
  const { cert } = await served.ca.issue(["server"]);
  await served.files.write("cert.pem", `${cert}\n${served.ca.cert}`); // issued by the same CA
  const { exit, told } = await health(served, "a");
  expect([exit, served.refusals.length]).toEqual([1, 0]);
  expect(told).toContain("UNAVAILABLE");
});

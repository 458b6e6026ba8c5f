import { InvalidArgumentError } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import { FakeLog } from "../../test/fake-log.js";
import { serve } from "../server.js";

const rules = [{ principals: ["*"], operations: ["*"], topics: ["*"] }];
const access = (more: object) => ({ access: { rules, ...more } });
const rule = (more: object) => ({ access: { rules: [...rules, { ...rules[0], ...more }] } });
const tls = { certFile: "/none/cert.pem", keyFile: "/none/key.pem" };

test.each<[unknown, string]>([
  [null, "serve: options must be an object, not null"],
  [[], "serve: options must be an object, not []"],
  [{ prot: 1 }, 'serve: there is no option "prot" (did you mean "port"?)'],
  [{ host: "" }, 'serve: host must be a string that is not empty, not ""'],
  [{ host: ["::"] }, "serve: host must be a string that is not empty, not a list"],
  [{ port: "7411" }, 'serve: port must be a whole number from 0 to 65535, not "7411"'],
  [{ port: 65_536 }, "serve: port must be a whole number from 0 to 65535, not 65536"],
  [{ port: Number.NaN }, "serve: port must be a whole number from 0 to 65535, not NaN"],
  [{ maxBatchBytes: Infinity }, "serve: maxBatchBytes must be a whole number from 1 to 1073741824, not Infinity"],
  [{ maxConnections: 0 }, "serve: maxConnections must be a whole number from 1 to 2147483647, not 0"],
  [{ maxConnectionsPerAddress: 1.5 }, "serve: maxConnectionsPerAddress must be a whole number"],
  [{ sendBudgetBytes: -1 }, "serve: sendBudgetBytes must be a whole number of at least 1, or Infinity, not -1"],
  [{ receiveBudgetBytes: "1MB" }, "serve: receiveBudgetBytes must be a whole number of at least 1, or Infinity"],
  [{ stalledStreamTimeoutMs: 0 }, "serve: stalledStreamTimeoutMs must be a number of ms of at least 1, or Infinity"],
  [{ drainTimeoutMs: Number.NaN }, "serve: drainTimeoutMs must be a number of ms of at least 0, or Infinity for never"],
  [{ reflection: "no" }, 'serve: reflection must be true or false, not "no"'],
  [{ insecure: 1 }, "serve: insecure must be true or false, not 1"],
  [{ onError: {} }, "serve: onError must be a function, not an object"],
  [{ tls: "cert.pem" }, 'serve: tls must be an object, not "cert.pem"'],
  [{ tls: { certFile: "cert.pem" } }, "serve: tls.keyFile must be a string that is not empty, not undefined"],
  [{ tls: { ...tls, cert: "x" } }, 'serve: there is no option "tls.cert"'],
  [{ tls: { ...tls, clientCertificates: true } }, 'serve: tls.clientCertificates must be "none", "optional" or'],
  [{ access: {} }, "serve: access.rules must be a list, not undefined"],
  [access({ ruels: [] }), 'serve: there is no option "access.ruels" (did you mean "rules"?)'],
  [rule({ principal: "ada" }), 'serve: there is no option "access.rules[1].principal" (did you mean "principals"?)'],
  [rule({ principals: "*" }), "serve: access.rules[1].principals must be a list that is not empty"],
  [rule({ principals: [] }), "serve: access.rules[1].principals must be a list that is not empty, not []"],
  [rule({ operations: ["prodcue"] }), 'or "*", not "prodcue" (did you mean "produce"?)'],
  [rule({ topics: "t" }), 'serve: access.rules[1].topics must be a list, not "t"'],
  [access({ tokens: [{ principal: "ada" }] }), "serve: access.tokens[0].sha256 must be a string, not undefined"],
  [access({ tokens: [{ principal: "ada", sha256: "secret" }] }), "access.tokens[0].sha256 is 64 hexadecimal digits"],
  [access({ jwt: { issuer: "", audience: "a" } }), "serve: access.jwt.issuer must be a string that is not empty"],
  [access({ jwt: { issuer: "i", audience: "a", algorithms: [] } }), "serve: access.jwt.algorithms must be a list that"],
  [access({ certificates: { principal: "cn" } }), 'serve: access.certificates.principal must be "commonName", "uri"'],
  [access({ quotas: [{ principals: ["*"], connections: 0 }] }), "serve: access.quotas[0].connections must be a number"],
  [access({ quotas: [{ principals: ["*"], requestPerSecond: 1 }] }), '(did you mean "requestsPerSecond"?)'],
])("refuses the options %j", async (options, message) => {
  const serving = serve(new FakeLog(), options as never);
  await expect(serving).rejects.toThrow(InvalidArgumentError);
  await expect(serving).rejects.toThrow(message);
});

test.each([undefined, null, {}, "log"])("refuses to serve %j", async (api) => {
  await expect(serve(api as never, { port: 0 })).rejects.toThrow(
    "serve: the log must be an object with produce() and consume()",
  );
});

test("updated access rules are validated like the initial ones, and refused as a whole", async () => {
  const server = await serve(new FakeLog(), { port: 0, access: { rules: [] } });
  onTestFinished(() => server.stop());
  const update = (config: unknown) => server.updateAccess(config as never);
  await expect(update(null)).rejects.toThrow("access control: access must be an object, not null");
  await expect(update({ rules: [{ principals: ["*"], operations: ["*"], topic: ["t"] }] })).rejects.toThrow(
    'access control: there is no option "access.rules[0].topic" (did you mean "topics"?)',
  );
  await update({ rules });
});

test("Infinity is accepted as no limit, and undefined as left out", async () => {
  const server = await serve(new FakeLog(), {
    port: 0,
    sendBudgetBytes: Infinity,
    receiveBudgetBytes: Infinity,
    stalledStreamTimeoutMs: Infinity,
    drainTimeoutMs: 2 ** 31,
    tls: undefined,
    access: undefined,
  });
  await server.stop();
});

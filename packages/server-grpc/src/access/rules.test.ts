import { expect, test } from "vitest";
import { checkAccessConfig, type RuleConfig } from "./access-config.js";
import { type Operation, operations } from "./operations.js";
import { Rules } from "./rules.js";

const rules = (...rules: RuleConfig[]) => new Rules(rules);
const rule = (principal: string, operation: Operation | "*", ...topics: string[]): RuleConfig => ({
  principals: [principal],
  operations: [operation],
  topics,
});

test("nothing is allowed without a rule", () => {
  const all = rules(rule("billing", "consume", "orders"));
  expect(all.grantsOf("billing").allows("consume", "topics", "orders")).toBe(true);
  for (const [principal, operation, topic] of [
    ["billing", "consume", "orders-2"],
    ["billing", "consume", "order"],
    ["billing", "produce", "orders"],
    ["Billing", "consume", "orders"],
    ["anonymous", "consume", "orders"],
  ] as const) {
    expect(all.grantsOf(principal).allows(operation, "topics", topic)).toBe(false);
  }
  expect(all.grantsOf("billing").allows("consume", "groups", "orders")).toBe(false);
  expect(
    rules({ principals: ["a"], operations: ["*"] })
      .grantsOf("a")
      .allows("consume", "topics", ""),
  ).toBe(false);
});

test("a name with a star at its end matches by prefix", () => {
  const grants = rules(rule("a", "consume", "orders-*"), { ...rule("a", "group"), groups: ["*"] }).grantsOf("a");
  const allowed = ["orders-", "orders-eu", "orders-*", "orders", "ORDERS-eu", "my-orders-eu"].filter((topic) =>
    grants.allows("consume", "topics", topic),
  );
  expect(allowed).toEqual(["orders-", "orders-eu", "orders-*"]);
  expect(grants.allows("group", "groups", "any")).toBe(true);
});

test("a star matches every authenticated principal; anonymous must be named", () => {
  const all = rules(rule("*", "produce", "in"), rule("anonymous", "consume", "out"));
  expect(all.grantsOf("whoever").allows("produce", "topics", "in")).toBe(true);
  expect(all.grantsOf("anonymous").allows("produce", "topics", "in")).toBe(false);
  expect(all.grantsOf("anonymous").allows("consume", "topics", "out")).toBe(true);
  expect(all.grantsOf("whoever").allows("consume", "topics", "out")).toBe(false);
});

test("every permission on a topic implies describe, except createTopic", () => {
  const describing = operations.filter((operation) =>
    rules(rule("a", operation, "t"))
      .grantsOf("a")
      .allows("describe", "topics", "t"),
  );
  expect(describing).toEqual(operations.filter((o) => !["createTopic", "allocateProducerId", "group"].includes(o)));
  const withIds = operations.filter((o) =>
    rules(rule("a", o, "t"))
      .grantsOf("a")
      .allowsSomewhere("allocateProducerId"),
  );
  expect(withIds).toEqual(["produce", "allocateProducerId"]);
});

test("decisions stay correct when the cache is full", () => {
  const all = rules(rule("p-7", "consume", "even-*"));
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 3_000; i++) {
      const grants = all.grantsOf(`p-${i % 2_000}`);
      const topic = `${i % 2 ? "odd" : "even"}-${i}`;
      expect(grants.allows("consume", "topics", topic)).toBe(false);
      expect(all.grantsOf("p-7").allows("consume", "topics", topic)).toBe(i % 2 === 0);
    }
  }
});

test.each([
  [{ rules: [{ principals: [], operations: ["*"] }] }, "access.rules[0].principals"],
  [{ rules: [{ principals: ["a"], operations: ["read"] }] }, "access.rules[0].operations"],
  [{ rules: [{ principals: ["a"], operations: ["*"], topics: ["a*b"] }] }, "access.rules[0].topics"],
  [{ rules: [], tokens: [{ principal: "a", sha256: "secret" }] }, "access.tokens[0].sha256"],
  [{ rules: [], tokens: [{ principal: "*", sha256: "0".repeat(64) }] }, "access.tokens[0].principal"],
  [
    { rules: [], tokens: [{ principal: "a", sha256: "0".repeat(64), expiresAt: "soon" }] },
    "access.tokens[0].expiresAt",
  ],
  [{ rules: [], jwt: { issuer: "i", audience: "a" } }, "access.jwt"],
  [{ rules: [], jwt: { issuer: "i", audience: "", jwksFile: "f" } }, "access.jwt.audience"],
  [{ rules: [], jwt: { issuer: "i", audience: "a", jwksFile: "f", algorithms: ["HS256"] } }, "access.jwt.algorithms"],
  [{ rules: [], jwt: { issuer: "i", audience: "a", jwksFile: "f", algorithms: ["none"] } }, "access.jwt.algorithms"],
  [{ rules: [], quotas: [{ principals: ["a"], connections: 0 }] }, "access.quotas[0].connections"],
])("what makes no sense is named: %o", (config, key) => {
  expect(() => checkAccessConfig(config as Parameters<typeof checkAccessConfig>[0])).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(key) }),
  );
});

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import * as codec from "./index.js";
import {
  type ErrorFields,
  errorCodes,
  InternalError,
  LogStoreError,
  makeError,
  OffsetOutOfRangeError,
} from "./index.js";

const fields: Required<ErrorFields> = {
  topic: "orders",
  partition: 3,
  offset: 42,
  group: "billing",
  file: "3/00000000000000000000.log",
  byte: 4096,
  expected: 1,
  actual: 2,
  address: "broker-2:9000",
  retryAfterMs: 250,
};

describe.each(errorCodes)("%s", (code) => {
  const error = makeError(code, "what happened", fields, { cause: "why" });

  test("has a class of its own, which is exported", () => {
    expect(error).toBeInstanceOf(LogStoreError);
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe(code);
    expect(error.name).toBe(error.constructor.name);
    expect(codec).toHaveProperty(error.name, error.constructor);
    expect(
      error.name
        .replace(/Error$/, "")
        .replace(/[A-Z]/g, "_$&")
        .slice(1)
        .toUpperCase(),
    ).toBe(code);
  });

  test("keeps its message, fields and cause", () => {
    expect(error.message).toBe("what happened");
    expect(error.fields).toEqual(fields);
    expect(error).toMatchObject(fields);
    expect(error.cause).toBe("why");
  });
});

test("every error class has a code", () => {
  const classes = Object.values(codec).filter(
    (value) => typeof value === "function" && value.prototype instanceof LogStoreError,
  );
  expect(new Set(errorCodes.map((code) => makeError(code, "").constructor))).toEqual(new Set(classes));
});

test.each(["FROM_THE_FUTURE", "constructor", "__proto__", ""])(
  "the unknown code %j is an internal error that tells it",
  (code) => {
    const error = makeError(code, "what happened", { topic: "orders" });
    expect(error).toBeInstanceOf(InternalError);
    expect(error).toMatchObject({ code: "INTERNAL", message: `${code}: what happened`, topic: "orders" });
  },
);

test("fields that were not given are undefined", () => {
  expect(new InternalError("").fields).toEqual(
    Object.fromEntries(Object.keys(fields).map((name) => [name, undefined])),
  );
});

test("a printed error shows only the fields that were given", () => {
  const printed = inspect(new OffsetOutOfRangeError("gone", { topic: "orders", offset: undefined }));
  expect(printed).toContain("OffsetOutOfRangeError: gone");
  expect(printed).toContain("topic: 'orders'");
  expect(printed).not.toContain("undefined");
  expect(Object.keys(new InternalError("x"))).toEqual(["code"]);
});

test("with() adds fields to an error and overrides existing ones", () => {
  const error = new OffsetOutOfRangeError("gone", { offset: 5, expected: 10 });
  const told = error.with({ topic: "orders", partition: 0, expected: 11 });
  expect(told).toBeInstanceOf(OffsetOutOfRangeError);
  expect(told).toMatchObject({ message: "gone", offset: 5, expected: 11, topic: "orders", partition: 0, cause: error });
  expect(error).toMatchObject({ topic: undefined, expected: 10 });
});

import { describe, expect, test } from "vitest";
import { InvalidArgumentError } from "./errors.js";
import {
  abortSignal,
  boolean,
  checkArgument,
  checkOptions,
  durationMs,
  either,
  func,
  limit,
  listOf,
  listOfNested,
  nested,
  nonEmptyString,
  type OptionRule,
  objectWith,
  oneOf,
  required,
  wholeNumber,
} from "./options.js";

interface Options {
  readonly group: string;
  readonly size?: number | undefined;
  readonly retry?: { readonly attempts?: number | undefined } | undefined;
}

const rules = {
  group: required(nonEmptyString),
  size: wholeNumber({ min: 1 }),
  retry: nested<NonNullable<Options["retry"]>>({ attempts: limit() }),
};

const check = (options: unknown) => () => checkOptions<Options>("consumer", options as Options, rules);

describe("options", () => {
  test("valid options and left-out options are accepted", () => {
    check({ group: "g" })();
    check({ group: "g", size: undefined, retry: undefined })();
    check({ group: "g", size: 1, retry: { attempts: Infinity } })();
  });

  test.each([
    [{ group: "g", sise: 1 }, 'consumer: there is no option "sise" (did you mean "size"?)'],
    [{ group: "g", colour: 1 }, 'consumer: there is no option "colour": there are group, size, retry'],
    [{ group: "g", retry: { attemps: 1 } }, 'consumer: there is no option "retry.attemps" (did you mean "attempts"?)'],
    [{ group: "g", ["x".repeat(10_000)]: 1 }, `consumer: there is no option "${"x".repeat(60)}…": there are`],
    [{}, "consumer: group must be a string that is not empty, not undefined"],
    [{ group: "" }, 'consumer: group must be a string that is not empty, not ""'],
    [{ group: "g", size: Number.NaN }, "consumer: size must be a whole number of at least 1, not NaN"],
    [{ group: "g", size: "1" }, 'consumer: size must be a whole number of at least 1, not "1"'],
    [{ group: "g", retry: 5 }, "consumer: retry must be an object, not 5"],
    [
      { group: "g", retry: { attempts: 0 } },
      "consumer: retry.attempts must be a whole number of at least 1, or Infinity, not 0",
    ],
    [null, "consumer: options must be an object, not null"],
    [[], "consumer: options must be an object, not []"],
    ["g", 'consumer: options must be an object, not "g"'],
  ])("%j are refused", (options, message) => {
    expect(check(options)).toThrow(InvalidArgumentError);
    expect(check(options)).toThrow(message);
  });

  test.each([
    [{ rules: [{ name: "a" }, { name: "b", size: 1 }] }, undefined],
    [{ rules: [] }, undefined],
    [{ rules: {} }, "server: rules must be a list, not an object"],
    [{ rules: [{ name: "a" }, { nam: "b" }] }, 'server: there is no option "rules[1].nam" (did you mean "name"?)'],
    [{ rules: [{ name: "a", size: -1 }] }, "server: rules[0].size must be a whole number of at least 0, not -1"],
    [{ rules: [undefined] }, "server: rules[0] must be an object, not undefined"],
    [{ rules: ["a"] }, 'server: rules[0] must be an object, not "a"'],
  ])("in a list: %j", (options, message) => {
    const check = () =>
      checkOptions<{ rules: object[] }>("server", options as never, {
        rules: required(listOfNested({ name: required(nonEmptyString), size: wholeNumber() })),
      });
    if (message === undefined) check();
    else expect(check).toThrow(message);
  });

  test("names of Object.prototype are unknown like any other", () => {
    expect(check({ group: "g", toString: 1 })).toThrow('there is no option "toString"');
    expect(check(JSON.parse('{ "group": "g", "__proto__": 1 }'))).toThrow('there is no option "__proto__"');
  });
});

describe("rules", () => {
  const { signal } = new AbortController();
  const cases: [string, OptionRule, unknown[], unknown[]][] = [
    ["wholeNumber", wholeNumber({ max: 9 }), [0, 9], [-1, 10, 0.5, Number.NaN, Infinity, "1", 1n, null, new Date(0)]],
    ["limit", limit(), [1, 2 ** 40, Infinity], [0, -1, 1.5, Number.NaN, -Infinity, "1"]],
    ["durationMs", durationMs(), [0, 0.5, 2 ** 31, Infinity], [-1, Number.NaN, -Infinity, "5", null]],
    ["durationMs with a limit", durationMs({ min: 1, max: 9 }), [1, 9], [0, 10, Infinity]],
    ["oneOf", oneOf("auto", "manual"), ["auto"], [false, "", "Auto", null]],
    ["nonEmptyString", nonEmptyString, ["a"], ["", 1, null, ["a"]]],
    ["boolean", boolean, [true, false], [0, "true", null]],
    ["func", func, [() => {}], ["f", {}]],
    ["objectWith", objectWith("serialize"), [{ serialize() {} }], [{}, null, { serialize: 1 }, "s"]],
    ["abortSignal", abortSignal, [signal], [{}, new AbortController(), true]],
    ["listOf", listOf(nonEmptyString), [["a"]], [[], [""], "a", { 0: "a" }, null]],
    ["either", either(oneOf("latest"), wholeNumber()), ["latest", 4], ["earliest", -1]],
  ];

  test.each(cases)("%s", (_, rule, good, bad) => {
    for (const value of good) expect(rule(value, "x")).toBeUndefined();
    for (const value of bad) expect(() => checkArgument("t", "x", value, rule)).toThrow(/^t: x must be /);
  });
});

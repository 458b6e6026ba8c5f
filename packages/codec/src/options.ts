/** Validation of options: their names and values. Used by all packages. */
import { InvalidArgumentError } from "./errors.js";
import { suggestion } from "./suggestion.js";

/**
 * Checks a value. Returns what the value must be, as words that follow "must be", or undefined if
 * it is valid. `name` is the option's full name.
 */
export interface OptionRule {
  (value: unknown, name: string): string | undefined;
  /** The option may not be left out. */
  readonly isRequired?: boolean;
  /** Rules for the members of a nested options object. */
  readonly members?: MemberRules | undefined;
  /** The rule for the elements of a list of options objects. */
  readonly elements?: OptionRule | undefined;
}

/** Rules by option name. */
export type MemberRules = { readonly [name: string]: OptionRule };

/** One rule for each option; the compiler reports missing ones. */
export type OptionRules<Options> = { readonly [Name in keyof Options]-?: OptionRule };

/**
 * Checks an options object for unknown names and for values that break their rule. An undefined
 * option counts as left out; only a {@link required} rule forbids that.
 *
 * @param owner whose options they are, for messages: "producer", "consumer"
 * @throws InvalidArgumentError that names the first invalid option
 */
export function checkOptions<Options>(owner: string, options: Options, rules: OptionRules<Options>): void {
  if (!isObject(options)) throw new InvalidArgumentError(`${owner}: options must be an object, not ${shown(options)}`);
  checkMembers(owner, "", options, rules as MemberRules);
}

/**
 * Checks one argument.
 *
 * @throws InvalidArgumentError
 */
export function checkArgument(owner: string, name: string, value: unknown, rule: OptionRule): void {
  if (value === undefined && !rule.isRequired) return;
  const expected = rule(value, name);
  if (expected !== undefined) {
    throw new InvalidArgumentError(`${owner}: ${name} must be ${expected}, not ${shown(value)}`);
  }
  if (rule.members !== undefined) checkMembers(owner, `${name}.`, value as object, rule.members);
  const { elements } = rule;
  if (elements !== undefined) {
    for (const [i, element] of (value as unknown[]).entries()) {
      checkArgument(owner, `${name}[${i}]`, element, required(elements));
    }
  }
}

function checkMembers(owner: string, prefix: string, options: object, rules: MemberRules): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(rules, name)) continue;
    const known = Object.keys(rules);
    const hint = suggestion(name, known) || `: there are ${known.join(", ")}`;
    throw new InvalidArgumentError(`${owner}: there is no option ${JSON.stringify(cut(prefix + name))}${hint}`);
  }
  for (const [name, rule] of Object.entries(rules)) {
    checkArgument(owner, prefix + name, (options as Record<string, unknown>)[name], rule);
  }
}

/** The same rule for an option that may not be left out. */
export function required(rule: OptionRule): OptionRule {
  const { members, elements } = rule;
  return Object.assign((value: unknown, name: string) => rule(value, name), { isRequired: true, members, elements });
}

/**
 * A nested options object. Messages use the full names of its members, such as `retry.attempts`.
 */
export function nested<Options>(rules: OptionRules<Options>): OptionRule {
  const rule = (value: unknown) => (isObject(value) ? undefined : "an object");
  return Object.assign(rule, { members: rules as MemberRules });
}

/** An integer between `min` and `max`, both inclusive. */
export function wholeNumber({ min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds = {}): OptionRule {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `a whole number ${range}`;
}

/** An integer of at least `min`, or Infinity for no limit. */
export function limit({ min = 1 }: { readonly min?: number } = {}): OptionRule {
  const whole = wholeNumber({ min });
  return (value, name) =>
    value === Number.POSITIVE_INFINITY || whole(value, name) === undefined
      ? undefined
      : `a whole number of at least ${min}, or Infinity`;
}

/** A duration in ms; fractions are allowed. Infinity, where it is within bounds, means never. */
export function durationMs({ min = 0, max = Number.POSITIVE_INFINITY }: Bounds = {}): OptionRule {
  const range =
    max === Number.POSITIVE_INFINITY ? `of at least ${min}, or Infinity for never` : `from ${min} to ${max}`;
  return (value) => (typeof value === "number" && value >= min && value <= max ? undefined : `a number of ms ${range}`);
}

/** Bounds of a number, both included. */
export interface Bounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** One of the given values. */
export function oneOf(...values: readonly (string | number | boolean | null)[]): OptionRule {
  const names = values.map((value) => JSON.stringify(value));
  const last = names.pop();
  const expected = names.length === 0 ? `${last}` : `${names.join(", ")} or ${last}`;
  return (value) => (values.includes(value as string) ? undefined : expected);
}

/** A non-empty string. */
export const nonEmptyString: OptionRule = (value) =>
  typeof value === "string" && value !== "" ? undefined : "a string that is not empty";

/** Accepts `true` and `false`. */
export const boolean: OptionRule = (value) => (typeof value === "boolean" ? undefined : "true or false");

/** Accepts a function. */
export const func: OptionRule = (value) => (typeof value === "function" ? undefined : "a function");

/** An object or function that has the given methods. */
export function objectWith(...methods: readonly string[]): OptionRule {
  return (value) => {
    const has = (name: string) => typeof (value as Record<string, unknown>)[name] === "function";
    const isOne = isObject(value) || typeof value === "function";
    if (isOne && methods.every(has)) return undefined;
    return methods.length === 0 ? "an object" : `an object with ${methods.map((name) => `${name}()`).join(" and ")}`;
  };
}

/** An AbortSignal or an object with the same methods. */
export const abortSignal: OptionRule = (value) =>
  isObject(value) && "aborted" in value && objectWith("addEventListener")(value, "") === undefined
    ? undefined
    : "an AbortSignal";

/** An array of at least `min` elements, each of which passes the rule. */
export function listOf(rule: OptionRule, { min = 1 }: { readonly min?: number } = {}): OptionRule {
  return (value, name) => {
    if (!Array.isArray(value) || value.length < min) return min > 0 ? "a list that is not empty" : "a list";
    for (const [i, element] of value.entries()) {
      const expected = rule(element, `${name}[${i}]`);
      if (expected !== undefined) return `a list of which each element is ${expected}`;
    }
    return undefined;
  };
}

/**
 * An array of options objects. Messages use the full names of their members, such as
 * `rules[0].topics`.
 */
export function listOfNested<Options>(rules: OptionRules<Options>): OptionRule {
  const rule = (value: unknown) => (Array.isArray(value) ? undefined : "a list");
  return Object.assign(rule, { elements: nested(rules) });
}

/** A value that passes any of the rules. At most one of the rules may be {@link nested}. */
export function either(...rules: readonly OptionRule[]): OptionRule {
  const rule = (value: unknown, name: string) => {
    const expected = rules.map((rule) => rule(value, name));
    return expected.includes(undefined) ? undefined : expected.join(", or ");
  };
  return Object.assign(rule, { members: rules.find(({ members }) => members !== undefined)?.members });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Longer values are truncated in messages. */
const MAX_SHOWN_LENGTH = 60;

/**
 * Formats a value for a message: short, on one line, and without calling any code of the
 * application, such as its `toString`.
 */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(cut(value));
  if (typeof value === "bigint") return `${cut(String(value))}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "[]" : "a list";
  return Object.prototype.toString.call(value) === "[object Date]" ? "a Date" : "an object";
}

function cut(text: string): string {
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}…`;
}

/** Rules, as they are asked: may this principal do this to that? Made once for each version of the configuration. */
import { ANONYMOUS, EVERY, type RuleConfig } from "./access-config.js";
import { BoundedMap } from "./bounded-map.js";
import { impliedBy, type Operation } from "./operations.js";

export type ResourceKind = "topics" | "groups";

const MAX_PRINCIPALS = 1_000;
const MAX_DECISIONS = 1_000;

export class Rules {
  readonly #rules: readonly RuleConfig[];
  readonly #grants = new BoundedMap<string, Grants>(MAX_PRINCIPALS);

  constructor(rules: readonly RuleConfig[]) {
    this.#rules = rules;
  }

  grantsOf(principal: string): Grants {
    return this.#grants.getOrMake(principal, () => {
      return new Grants(this.#rules.filter(({ principals }) => names(principals, principal)));
    });
  }
}

/** What one principal may do. Decisions are remembered: the same few topics are asked for again and again. */
export class Grants {
  readonly #rules: readonly RuleConfig[];
  readonly #decisions = new Map<string, BoundedMap<string, boolean>>();

  constructor(rules: readonly RuleConfig[]) {
    this.#rules = rules;
  }

  /** Whether there is anything at all that is allowed. */
  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  allows(operation: Operation, kind: ResourceKind, name: string): boolean {
    const key = `${operation} ${kind}`;
    let decisions = this.#decisions.get(key);
    if (!decisions) {
      decisions = new BoundedMap(MAX_DECISIONS);
      this.#decisions.set(key, decisions);
    }
    return decisions.getOrMake(name, () =>
      this.#rules.some((rule) => includes(rule, operation) && matches(rule[kind] ?? [], name)),
    );
  }

  /** Whether the operation is allowed on something, or needs nothing to be done on. */
  allowsSomewhere(operation: Operation): boolean {
    return this.#rules.some((rule) => includes(rule, operation));
  }
}

/** Whether a list of principals means this one. Who shows no credentials is meant only by name. */
export function names(principals: readonly string[], principal: string): boolean {
  return principals.includes(principal) || (principal !== ANONYMOUS && principals.includes(EVERY));
}

function includes({ operations }: RuleConfig, operation: Operation): boolean {
  const enough = [EVERY, operation, ...(impliedBy[operation] ?? [])] as const;
  return enough.some((one) => operations.includes(one));
}

function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith(EVERY) ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/**
 * Evaluates rules: may this principal perform this operation on this resource? Built once for each
 * version of the configuration.
 */
import { ANONYMOUS, EVERY, type RuleConfig } from "./access-config.js";
import { BoundedMap } from "./bounded-map.js";
import { impliedBy, type Operation } from "./operations.js";

export type ResourceKind = "topics" | "groups";

/** Sizes of the caches of principals and of decisions. */
const MAX_GRANTS_BYTES = 4 * 1024 * 1024;
const MAX_DECISIONS_BYTES = 4 * 1024 * 1024;

export class Rules {
  readonly #rules: readonly RuleConfig[];
  readonly #grants: BoundedMap<Grants>;
  readonly #decisions = new BoundedMap<boolean>(MAX_DECISIONS_BYTES, 8);

  constructor(rules: readonly RuleConfig[]) {
    this.#rules = rules;
    this.#grants = new BoundedMap(MAX_GRANTS_BYTES, 100 + 8 * rules.length);
  }

  grantsOf(principal: string): Grants {
    return this.#grants.getOrMake(principal, () => {
      const rules = this.#rules.filter(({ principals }) => names(principals, principal));
      return new Grants(principal, rules, this.#decisions);
    });
  }
}

/**
 * The permissions of one principal. Decisions are cached, because the same few topics are requested
 * repeatedly.
 */
export class Grants {
  readonly #principal: string;
  readonly #rules: readonly RuleConfig[];
  readonly #decisions: BoundedMap<boolean>;

  /**
   * @param decisions cache shared by all principals; its keys contain everything that a decision
   * depends on
   */
  constructor(principal: string, rules: readonly RuleConfig[], decisions: BoundedMap<boolean>) {
    this.#principal = principal;
    this.#rules = rules;
    this.#decisions = decisions;
  }

  /** Whether nothing at all is allowed. */
  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  allows(operation: Operation, kind: ResourceKind, name: string): boolean {
    // Unambiguous: neither an operation nor a kind contains a line break, and the principal comes
    // last.
    return this.#decisions.getOrMake(`${operation}\n${kind}\n${name.length}\n${name}${this.#principal}`, () =>
      this.#rules.some((rule) => includes(rule, operation) && matches(rule[kind] ?? [], name)),
    );
  }

  /** Whether the operation is allowed on any resource, or needs no resource. */
  allowsSomewhere(operation: Operation): boolean {
    return this.#rules.some((rule) => includes(rule, operation));
  }
}

/**
 * Whether a rule's list of principals includes this one. Callers without credentials are included
 * only by name.
 */
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

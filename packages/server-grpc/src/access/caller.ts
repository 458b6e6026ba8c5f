/** The caller of one call, for the duration of the call. */
import {
  type LogStoreError,
  PermissionDeniedError,
  startTimer,
  type Timer,
  UnauthenticatedError,
} from "@logstore/codec";
import { checkNameLength } from "../transport/names.js";
import { ANONYMOUS } from "./access-config.js";
import type { Credentials, Identity } from "./identity.js";
import type { Operation } from "./operations.js";
import type { Quota } from "./quotas.js";
import type { Grants, ResourceKind } from "./rules.js";

/** Properties of a call that are known before its caller is authenticated. */
export interface CallFacts {
  /** "10.0.0.7:51234" */
  readonly peer: string;
  /** "10.0.0.7" */
  readonly address: string;
  /** "/logstore.v1.LogService/Consume" */
  readonly method: string;
  readonly isStreaming: boolean;
  readonly credentials: Credentials;
  /** Ends the call from the server's side. */
  readonly end: (error: LogStoreError) => void;
}

/** The identity and permissions of a caller. */
export interface Standing {
  readonly identity: Identity;
  readonly grants: Grants;
  readonly quota: Quota | undefined;
}

/** A permission that the call depends on: for the named resource, or for any. */
export interface Held {
  readonly operation: Operation;
  readonly name?: string;
}

export class Caller {
  readonly facts: CallFacts;
  readonly #over = new AbortController();
  readonly #onDenied: (caller: Caller, error: LogStoreError) => void;
  #standing: Standing;
  #held: readonly Held[] = [];
  #lastDenied = "";
  #expiry: Timer | undefined;
  #isCut = false;

  constructor(facts: CallFacts, standing: Standing, onDenied: (caller: Caller, error: LogStoreError) => void) {
    this.facts = facts;
    this.#standing = standing;
    this.#onDenied = onDenied;
  }

  get identity(): Identity {
    return this.#standing.identity;
  }

  get principal(): string {
    return this.#standing.identity.principal;
  }

  get quota(): Quota | undefined {
    return this.#standing.quota;
  }

  get expiresAt(): number | undefined {
    return this.#standing.identity.expiresAt;
  }

  /** Aborts when the call ends. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether the server ended the call: nothing more may be sent on it. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /**
   * `name` is that of a topic or, for the operation `group`, of a group. Nothing is allowed once
   * the call was ended, because it may have unanswered requests.
   */
  allows(operation: Operation, name: string): boolean {
    return !this.#isCut && this.#standing.grants.allows(operation, resourceKindOf(operation), name);
  }

  /**
   * @throws PermissionDeniedError, or UnauthenticatedError for a caller without credentials;
   * InvalidArgumentError for an invalid name
   */
  check(operation: Operation, name: string): void {
    checkNameLength(name); // before it is compared, stored or reported
    if (!this.allows(operation, name)) throw this.#denied(operation, name);
  }

  /**
   * For an operation on no particular resource.
   *
   * @throws like `check`
   */
  checkSomewhere(operation: Operation): void {
    if (!this.#allowsSomewhere(operation)) throw this.#denied(operation);
  }

  /** Replaces the permissions that the call depends on: it is ended when one of them is lost. */
  hold(...held: readonly Held[]): void {
    this.#held = held;
  }

  /**
   * Applies other rules or another identity.
   *
   * @throws like `check`, if the call may not continue
   */
  stand(standing: Standing): void {
    this.#standing = standing;
    for (const { operation, name } of this.#held) {
      const allowed = name === undefined ? this.#allowsSomewhere(operation) : this.allows(operation, name);
      if (!allowed) throw denial(this.principal, operation, name);
    }
  }

  /** Calls `expired` when the credentials expire during the call. */
  watchExpiry(expired: () => void): void {
    this.#expiry?.cancel();
    const { expiresAt } = this;
    if (expiresAt === undefined || this.signal.aborted) return;
    const check = () => (Date.now() >= expiresAt ? expired() : this.watchExpiry(expired));
    this.#expiry = startTimer(expiresAt - Date.now(), check, { keepsAlive: false });
  }

  /** The call has ended without the server's intervention. */
  end(): void {
    this.#expiry?.cancel();
    this.#over.abort();
  }

  /** Ends the call, unless it has ended. */
  cut(error: LogStoreError): void {
    this.#isCut = true;
    this.end();
    this.facts.end(error);
  }

  #allowsSomewhere(operation: Operation): boolean {
    return !this.#isCut && this.#standing.grants.allowsSomewhere(operation);
  }

  #denied(operation: Operation, name?: string): LogStoreError {
    const error = denial(this.principal, operation, name);
    // A stream may repeat the same request thousands of times.
    const key = `${operation} ${name}`;
    // Requests of a call that was ended are not reported again.
    if (key !== this.#lastDenied && !this.#isCut) this.#onDenied(this, error);
    this.#lastDenied = key;
    return error;
  }
}

function resourceKindOf(operation: Operation): ResourceKind {
  return operation === "group" ? "groups" : "topics";
}

function denial(principal: string, operation: Operation, name: string | undefined): LogStoreError {
  if (principal === ANONYMOUS) return new UnauthenticatedError("this call requires credentials, and has none");
  if (name === undefined) return new PermissionDeniedError(`${principal} may not ${operation}`);
  // The same whether or not it exists.
  if (operation === "group")
    return new PermissionDeniedError(`${principal} may not use group ${name}`, { group: name });
  return new PermissionDeniedError(`${principal} may not ${operation} topic ${name}`, { topic: name });
}

/** For a caller without any permission. */
export function denialOfAll(principal: string): LogStoreError {
  if (principal === ANONYMOUS) return new UnauthenticatedError("this call requires credentials, and has none");
  return new PermissionDeniedError(`${principal} has no permission on this server`);
}

/** Whoever makes a call, for as long as the call lasts. */
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

/** What a call is, before anybody asks whose. */
export interface CallFacts {
  /** "10.0.0.7:51234" */
  readonly peer: string;
  /** "10.0.0.7" */
  readonly address: string;
  /** "/logstore.v1.LogService/Consume" */
  readonly method: string;
  readonly isStreaming: boolean;
  readonly credentials: Credentials;
  /** Ends the call from this side. */
  readonly end: (error: LogStoreError) => void;
}

/** What holds for whoever it is. */
export interface Standing {
  readonly identity: Identity;
  readonly grants: Grants;
  readonly quota: Quota | undefined;
}

/** What has to be allowed: on what is named, or on anything. */
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

  /** Aborts when the call is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether it was ended from this side: nothing more may be sent on it. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /**
   * `name` is a topic's, or for the operation `group` a group's. Nothing is allowed once the call
   * was cut: requests may have been read that are not answered yet.
   */
  allows(operation: Operation, name: string): boolean {
    return !this.#isCut && this.#standing.grants.allows(operation, resourceKindOf(operation), name);
  }

  /**
   * @throws PermissionDeniedError, or UnauthenticatedError where nobody knows who it is;
   * InvalidArgumentError for what is no name
   */
  check(operation: Operation, name: string): void {
    checkNameLength(name); // before it is compared, kept or told to anybody
    if (!this.allows(operation, name)) throw this.#told(operation, name);
  }

  /** For what is not done on anything. @throws as `check` does */
  checkSomewhere(operation: Operation): void {
    if (!this.#allowsSomewhere(operation)) throw this.#told(operation);
  }

  /** The call goes on as long as all of this is allowed, and no matter what it held before. */
  hold(...held: readonly Held[]): void {
    this.#held = held;
  }

  /** Other rules hold, or it is somebody else. @throws as `check` does, where it may not go on */
  stand(standing: Standing): void {
    this.#standing = standing;
    for (const { operation, name } of this.#held) {
      const allowed = name === undefined ? this.#allowsSomewhere(operation) : this.allows(operation, name);
      if (!allowed) throw denial(this.principal, operation, name);
    }
  }

  /** Calls `expired` when the credentials are no longer valid, if the call lasts so long. */
  watchExpiry(expired: () => void): void {
    this.#expiry?.cancel();
    const { expiresAt } = this;
    if (expiresAt === undefined || this.signal.aborted) return;
    const check = () => (Date.now() >= expiresAt ? expired() : this.watchExpiry(expired));
    this.#expiry = startTimer(expiresAt - Date.now(), check, { keepsAlive: false });
  }

  /** The call has ended by itself. */
  end(): void {
    this.#expiry?.cancel();
    this.#over.abort();
  }

  /** Ends the call, which has not ended by itself. */
  cut(error: LogStoreError): void {
    this.#isCut = true;
    this.end();
    this.facts.end(error);
  }

  #allowsSomewhere(operation: Operation): boolean {
    return !this.#isCut && this.#standing.grants.allowsSomewhere(operation);
  }

  #told(operation: Operation, name?: string): LogStoreError {
    const error = denial(this.principal, operation, name);
    // A stream may ask the same thousands of times over.
    const key = `${operation} ${name}`;
    // And of one that was cut, what was read before is not worth another word.
    if (key !== this.#lastDenied && !this.#isCut) this.#onDenied(this, error);
    this.#lastDenied = key;
    return error;
  }
}

function resourceKindOf(operation: Operation): ResourceKind {
  return operation === "group" ? "groups" : "topics";
}

function denial(principal: string, operation: Operation, name: string | undefined): LogStoreError {
  if (principal === ANONYMOUS) return new UnauthenticatedError("this needs credentials, and the call shows none");
  if (name === undefined) return new PermissionDeniedError(`${principal} may not ${operation}`);
  // The same whether it exists or not.
  if (operation === "group")
    return new PermissionDeniedError(`${principal} may not use group ${name}`, { group: name });
  return new PermissionDeniedError(`${principal} may not ${operation} topic ${name}`, { topic: name });
}

/** For who may do nothing at all. */
export function denialOfAll(principal: string): LogStoreError {
  if (principal === ANONYMOUS) return new UnauthenticatedError("this needs credentials, and the call shows none");
  return new PermissionDeniedError(`${principal} may do nothing here`);
}

/**
 * Access control: authenticates the caller of each call before any request is read, gives it access
 * to the log according to its permissions, and ends calls in progress whose credentials or
 * permissions end.
 */
import type {
  Metadata,
  ServerInterceptingCall,
  ServerInterceptingCallInterface,
  ServerMethodDefinition,
} from "@grpc/grpc-js";
import { InternalError, LogStoreError, QuotaExceededError, UnavailableError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import type { Connection } from "../transport/connection.js";
import { type AccessConfig, ANONYMOUS, checkAccessConfig } from "./access-config.js";
import { type AccessSurroundings, type AccessVersion, openVersion } from "./access-version.js";
import { Alterations } from "./alterations.js";
import { Authenticator } from "./authenticator.js";
import { Caller, type CallFacts, denialOfAll, type Standing } from "./caller.js";
import { ConnectionCounts } from "./connection-counts.js";
import { GuardedLog } from "./guarded-log.js";
import type { Identity } from "./identity.js";
import { interceptedCall } from "./intercepted-call.js";
import type { Quota } from "./quotas.js";
import { expired } from "./static-tokens.js";
import { Strangers } from "./strangers.js";

export class AccessControl {
  readonly #surroundings: AccessSurroundings;
  readonly #callers = new WeakMap<Metadata, Caller>();
  readonly #running = new Set<Caller>();
  readonly #connections = new ConnectionCounts();
  readonly #strangers = new Strangers();
  readonly #alterations = new Alterations();
  #version: AccessVersion;
  #updating: Promise<void> = Promise.resolve();

  private constructor(surroundings: AccessSurroundings, version: AccessVersion) {
    this.#surroundings = surroundings;
    this.#version = version;
  }

  /**
   * @throws InvalidArgumentError that names the part of the configuration that is invalid or cannot
   * be read
   */
  static async open(config: AccessConfig, surroundings: AccessSurroundings): Promise<AccessControl> {
    return new AccessControl(surroundings, await openVersion(config, surroundings));
  }

  /** @throws InvalidArgumentError like `open` */
  static async check(config: AccessConfig): Promise<void> {
    checkAccessConfig(config);
    await Authenticator.open(config, false, () => {});
  }

  /**
   * Replaces the configuration, also for calls in progress: resolves when each of them has been
   * checked again, and those that are no longer allowed have ended. Rules apply at once, while
   * credentials may still be checked. Quotas start anew, and apply to calls that start from now on.
   *
   * @throws InvalidArgumentError like `open`; then nothing changes
   */
  update(config: AccessConfig): Promise<void> {
    const opened = this.#updating.then(() => openVersion(config, this.#surroundings));
    const applied = opened.then((version) => ({ checked: this.#apply(version) }));
    // The next update need not wait until keys have been fetched.
    this.#updating = applied.then(
      () => {},
      () => {},
    );
    return applied.then(({ checked }) => checked);
  }

  async #apply(version: AccessVersion): Promise<void> {
    const knowsPrincipals = version.principalClaim === this.#version.principalClaim;
    this.#version = version;
    await Promise.all(Array.from(this.#running, (caller) => this.#checkAgain(caller, knowsPrincipals)));
  }

  /** Returns the log as the caller of an admitted call may use it. */
  guard(api: LogApi, call: { readonly metadata: Metadata }): LogApi {
    return new GuardedLog(api, this.callerOf(call), this.#alterations);
  }

  callerOf({ metadata }: { readonly metadata: Metadata }): Caller {
    const caller = this.#callers.get(metadata);
    if (caller) return caller;
    throw new InternalError("a call that nobody let in");
  }

  /** Why a new connection is refused because of its certificate; undefined if it is accepted. */
  refusalOf(connection: Connection): string | undefined {
    if (!connection.certificate) return undefined;
    const { authenticator, quotas } = this.#version;
    try {
      const { principal } = authenticator.identifyCertificate(connection.certificate);
      const { connections } = quotas.of(principal, connection.address) ?? {};
      if (connections === undefined || this.#connections.claim(principal, connection, connections)) return undefined;
      return `${principal} already has ${connections} connections`;
    } catch {
      return undefined; // its calls may have tokens
    }
  }

  /**
   * Intercepts a call before its handler: nothing of a request is read before its caller is known.
   */
  intercept(
    method: ServerMethodDefinition<unknown, unknown>,
    call: ServerInterceptingCallInterface,
    connection: Connection | undefined,
  ): ServerInterceptingCall {
    return interceptedCall(method, call, connection, {
      toStatus: this.#surroundings.toStatus,
      letIn: (facts, admitted, refused) => this.#letIn(facts, connection, admitted, refused),
      admitted: (metadata, caller) => void this.#callers.set(metadata, caller),
      refused: (facts, error, principal) => this.#refused(facts, error, principal),
      over: (caller) => void this.#running.delete(caller),
    });
  }

  /** Calls exactly one of the two callbacks, once. */
  #letIn(
    facts: CallFacts,
    connection: Connection | undefined,
    admitted: (caller: Caller) => void,
    refused: (error: unknown, principal?: string) => void,
  ): void {
    const version = this.#version;
    const enter = (identity: Identity) => {
      // The configuration may have changed while credentials were checked.
      if (this.#version !== version) return this.#letIn(facts, connection, admitted, refused);
      let caller: Caller;
      try {
        caller = this.#enter(facts, identity, connection);
      } catch (error) {
        return refused(error, identity.principal);
      }
      admitted(caller);
    };
    try {
      const identity = version.authenticator.identify(facts.credentials);
      if (identity instanceof Promise) identity.then(enter).catch((error) => refused(error));
      else enter(identity);
    } catch (error) {
      refused(error);
    }
  }

  #enter(facts: CallFacts, identity: Identity, connection: Connection | undefined): Caller {
    if (!connection) throw new UnavailableError("the connection is closing");
    const standing = this.#standingOf(identity, connection.address);
    const { grants, quota } = standing;
    if (grants.isEmpty && facts.method.startsWith("/logstore.")) throw denialOfAll(identity.principal);
    quota?.beginCall();
    this.#claim(identity.principal, connection, quota);
    const caller = new Caller(facts, standing, (one, error) => this.#refused(one.facts, error, one.principal));
    if (grants.isEmpty) {
      const end = this.#strangers.begin(connection);
      caller.signal.addEventListener("abort", end, { once: true });
    } else connection.isKnown = true;
    connection.used();
    this.#running.add(caller);
    this.#watchExpiry(caller);
    return caller;
  }

  /** @throws QuotaExceededError */
  #claim(principal: string, connection: Connection, quota: Quota | undefined): void {
    if (quota?.connections === undefined) return;
    const { connections } = quota;
    const [owner, of] =
      principal === ANONYMOUS ? [`${ANONYMOUS} ${connection.address}`, connection.address] : [principal, principal];
    if (this.#connections.claim(owner, connection, connections)) return;
    throw new QuotaExceededError(`${of} already has ${connections} connections: close one`);
  }

  #standingOf(identity: Identity, address: string): Standing {
    const { rules, quotas } = this.#version;
    const { principal } = identity;
    return { identity, grants: rules.grantsOf(principal), quota: quotas.of(principal, address) };
  }

  /** @param isStillTheSame whether valid credentials still identify the same principal as before */
  async #checkAgain(caller: Caller, isStillTheSame: boolean): Promise<void> {
    const version = this.#version;
    const { credentials, address } = caller.facts;
    try {
      const identifying = version.authenticator.identify(credentials);
      const isKnownLater = identifying instanceof Promise;
      if (isKnownLater) identifying.catch(() => {}); // handled below, if the call continues
      if (isKnownLater && isStillTheSame) caller.stand(this.#standingOf(caller.identity, address));
      const identity = await identifying;
      if (this.#version !== version) return; // it was checked again for a newer version
      caller.stand(this.#standingOf(identity, address));
      this.#watchExpiry(caller);
    } catch (error) {
      if (this.#version !== version) return;
      // Also if the credentials cannot be checked now: an open stream must not be a way around
      // that.
      this.#cut(caller, error);
    }
  }

  #watchExpiry(caller: Caller): void {
    caller.watchExpiry(() => this.#cut(caller, expired()));
  }

  #cut(caller: Caller, error: unknown): void {
    this.#running.delete(caller);
    if (caller.signal.aborted) return;
    this.#refused(caller.facts, error, caller.principal);
    caller.cut(error as LogStoreError);
  }

  #refused({ peer, method }: CallFacts, error: unknown, principal?: string): void {
    if (!(error instanceof LogStoreError)) return; // a defect, which is reported as such
    const { code, message, cause } = error;
    // The peer gets the message without the cause.
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    this.#surroundings.onRefused({ refused: "call", peer, method, code, reason, ...(principal && { principal }) });
  }
}

/** The rules, quotas and authenticator made from one version of the access configuration. */
import type { StatusObject } from "@grpc/grpc-js";
import { type AccessConfig, checkAccessConfig } from "./access-config.js";
import { Authenticator } from "./authenticator.js";
import { type Clock, Quotas, systemClock } from "./quotas.js";
import type { Refusal } from "./refusal.js";
import { Rules } from "./rules.js";

export interface AccessSurroundings {
  /** Whether calls come over TLS. */
  readonly encrypted: boolean;
  /** Largest size of one principal's appends that wait for its quota, in bytes. */
  readonly maxWaitingBytes: number;
  readonly toStatus: (error: unknown) => StatusObject;
  readonly onRefused: (refusal: Refusal) => void;
  readonly onWarning: (message: string, cause?: unknown) => void;
  readonly clock?: Clock;
}

export interface AccessVersion {
  readonly authenticator: Authenticator;
  readonly rules: Rules;
  readonly quotas: Quotas;
  /** The claim of a token that names its principal, where tokens are configured. */
  readonly principalClaim: string | undefined;
}

/** @throws InvalidArgumentError that names what in it is invalid or cannot be read */
export async function openVersion(config: AccessConfig, surroundings: AccessSurroundings): Promise<AccessVersion> {
  checkAccessConfig(config);
  const { encrypted, maxWaitingBytes, onWarning, clock = systemClock } = surroundings;
  return {
    authenticator: await Authenticator.open(config, encrypted, onWarning),
    rules: new Rules(config.rules),
    quotas: new Quotas(config.quotas ?? [], maxWaitingBytes, clock),
    principalClaim: config.jwt?.principalClaim,
  };
}

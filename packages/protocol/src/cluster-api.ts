/** What a broker tells of its cluster, besides LogApi. */

/**
 * Header with which a caller asks for calls to be refused with NOT_OWNER, not passed on. Its value
 * does not matter.
 */
export const OWNER_ONLY_HEADER = "logstore-owner-only";

/** Implemented by brokers that may be part of a cluster. */
export interface ClusterApi {
  /** The addresses of the other brokers that are alive. */
  otherBrokers(): readonly string[];
}

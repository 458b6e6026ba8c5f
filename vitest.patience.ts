/**
 * How long tests wait. A busy machine is no failure: what hangs is seen all the same. A poll ends
 * before its test does, and says what it waited for.
 */
export const patience = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 45_000 } } };

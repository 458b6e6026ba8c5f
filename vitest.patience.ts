/**
 * How long tests wait. A busy machine is no failure: what hangs is seen all the same. A poll ends
 * before its test does, and says what it waited for.
 */
export const patience = { testTimeout: 20_000, hookTimeout: 20_000, expect: { poll: { timeout: 15_000 } } };

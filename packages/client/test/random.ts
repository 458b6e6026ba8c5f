/** Makes a seeded generator, so that a failure can be replayed: set SEED. */
export function randomFrom(seed: number): { below(limit: number): number } {
  let state = seed >>> 0;
  return {
    below(limit) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
    },
  };
}

/** Returns `SEED` alone if it is set, otherwise new random seeds. */
export function seeds(count: number): number[] {
  const { SEED } = process.env;
  return SEED ? [Number(SEED)] : Array.from({ length: count }, () => Math.floor(Math.random() * 2 ** 32));
}

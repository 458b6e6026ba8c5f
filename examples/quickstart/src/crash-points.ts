/** Returns when to kill the server, as numbers of acknowledged flights. */
export function crashPoints(count: number, seed: number, flights: number): Set<number> {
  const points = new Set<number>();
  // Mulberry32: a small generator, repeatable by its seed on every platform.
  let state = seed >>> 0;
  while (points.size < Math.min(count, flights)) {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    points.add(1 + Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (flights - 1)));
  }
  return points;
}

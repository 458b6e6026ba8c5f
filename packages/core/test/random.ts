/** Seeded random numbers: a failing run is replayed with CORE_SEED. */

export { Random } from "../src/testing/index.js";

export const firstSeed = Number(process.env["CORE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Attacks on servers with access control; the others are in `hostile.test.ts`. */
import { testAttacks } from "./attack-tests.ts";

testAttacks(({ guarded }) => guarded !== undefined);

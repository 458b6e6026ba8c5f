/** The complete list of defects; see {@link defects}. */
import { clientDefects } from "./client-defects.ts";
import { conveyorDefects } from "./conveyor-defects.ts";
import { type Defect, defects } from "./defects.ts";
import { serverDefects } from "./server-defects.ts";

export const allDefects: readonly Defect[] = [...defects, ...clientDefects, ...conveyorDefects, ...serverDefects];

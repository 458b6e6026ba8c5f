/** A process with the bare server. Says its port, ends with its parent. */
import { setFlagsFromString } from "node:v8";
import { serveBare } from "./bare-grpc.ts";

setFlagsFromString("--heap-growing-percent=400"); // as ours does: the limit is to be the best there is
process.send?.(await serveBare());
process.once("disconnect", () => process.exit());

/**
 * A process with the bare server, with TLS if it gets the files of a certificate and its key.
 * Prints its port, and exits with its parent.
 */
import { setFlagsFromString } from "node:v8";
import { serveBare } from "../../contestants/bare-grpc.ts";

setFlagsFromString("--heap-growing-percent=400");
setFlagsFromString("--external-memory-accounted-in-global-limit"); // the same setting as our server, so that the baseline is the best possible
const [certFile, keyFile] = process.argv.slice(2);
process.send?.(await serveBare(certFile && keyFile ? { certFile, keyFile } : undefined));
process.once("disconnect", () => process.exit());

/**
 * Locations of the files of this package. A separate module, so that a bundled client contains no
 * file paths.
 */
import type { FileUrl } from "./ambient.js";

/** Directory of the .proto files of this package. */
export const protoDirectory: FileUrl = new URL("../proto/", import.meta.url);

/** The same files compiled, with all their imports: a `google.protobuf.FileDescriptorSet`. */
export const descriptorSetFile: FileUrl = new URL("../dist/descriptors.binpb", import.meta.url);

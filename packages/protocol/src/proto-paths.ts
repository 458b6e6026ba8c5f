/**
 * Where the files of this package are: a module of its own, so that a bundle of a client has no
 * path in it.
 */
import type { FileUrl } from "./ambient.js";

/** The .proto files of this package, for whoever loads them. */
export const protoDirectory: FileUrl = new URL("../proto/", import.meta.url);

/** The same files compiled, with all that they import: a `google.protobuf.FileDescriptorSet`. */
export const descriptorSetFile: FileUrl = new URL("../dist/descriptors.binpb", import.meta.url);

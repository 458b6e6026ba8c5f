import { FieldReader } from "./protobuf.js";

/** The .proto files of the services, as they import each other. */
export const protoFiles = [
  "logstore/v1/log.proto",
  "logstore/v1/admin.proto",
  "logstore/v1/group.proto",
  "logstore/v1/error.proto",
] as const;

/**
 * How messages look once loaded; the options have the names that `@grpc/proto-loader` gives them.
 */
export const protoLoaderOptions = { longs: Number, defaults: true, arrays: true, oneofs: true } as const;

/** Field `file` of `FileDescriptorSet`. */
const FILE = 1;

/**
 * The files of a `FileDescriptorSet`, each a `FileDescriptorProto`: what a server tells who asks it
 * by reflection.
 */
export function descriptorFiles(descriptorSet: Uint8Array): Uint8Array[] {
  const files: Uint8Array[] = [];
  const reader = new FieldReader(descriptorSet);
  while (reader.next()) {
    if (reader.field === FILE) files.push(reader.view());
    else reader.skip();
  }
  return files;
}

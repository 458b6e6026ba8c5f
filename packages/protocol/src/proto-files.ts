import { FieldReader } from "./protobuf.js";

/** The .proto files of the services, as they import each other. */
export const protoFiles = [
  "logstore/v1/log.proto",
  "logstore/v1/admin.proto",
  "logstore/v1/group.proto",
  "logstore/v1/error.proto",
] as const;

/** How the .proto files are loaded, as options of `@grpc/proto-loader`. */
export const protoLoaderOptions = { longs: Number, defaults: true, arrays: true, oneofs: true } as const;

/** Field `file` of `FileDescriptorSet`. */
const FILE = 1;

/**
 * Returns the files of a `FileDescriptorSet`, each a serialized `FileDescriptorProto`, as server
 * reflection needs them.
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

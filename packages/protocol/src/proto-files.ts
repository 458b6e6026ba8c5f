/** The .proto files of this package, for whoever loads them. */
export const protoDirectory = new URL("../proto/", import.meta.url);

export const protoFiles = [
  "logstore/v1/log.proto",
  "logstore/v1/admin.proto",
  "logstore/v1/group.proto",
  "logstore/v1/error.proto",
] as const;

/** How messages look once loaded; the options have the names that `@grpc/proto-loader` gives them. */
export const protoLoaderOptions = { longs: Number, defaults: true, arrays: true, oneofs: true } as const;

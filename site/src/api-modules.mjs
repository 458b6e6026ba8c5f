/**
 * The modules of the API reference, in the order in which programs come to need them. The page of
 * each lists its members.
 *
 * @type {readonly string[]}
 */
export const apiModules = [
  "client",
  "core",
  "core/testing",
  "core/engine",
  "server-grpc",
  "testing",
  "nestjs",
  "codec",
  "protocol",
];

/** The .proto files, loaded by a standard protobuf library. */
import { fileURLToPath } from "node:url";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import { protoDirectory, protoFiles, protoLoaderOptions } from "../src/index.js";

const loaded = loadSync([...protoFiles], { ...protoLoaderOptions, includeDirs: [fileURLToPath(protoDirectory)] });

export function messageType(name: string): MessageTypeDefinition<object, object> {
  const definition = loaded[`logstore.v1.${name}`];
  if (definition === undefined || !("serialize" in definition))
    throw new Error(`no message ${name} in the .proto files`);
  return definition as MessageTypeDefinition<object, object>;
}

/** What is served, told to clients that have no .proto files. */
import { readFileSync } from "node:fs";
import type { Server } from "@grpc/grpc-js";
import type { MessageTypeDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { descriptorFiles, descriptorSetFile } from "@logstore/protocol";

/**
 * The descriptors are the compiler's. Those that proto-loader makes of the same files have other names for the fields and do not
 * say what they import: clients that check them refuse them.
 */
export function addReflection(grpc: Server): void {
  const fileDescriptorProtos = descriptorFiles(readFileSync(descriptorSetFile)).map((file) => Buffer.from(file));
  // Of a package's definitions the service looks at the files that they are in, and at nothing else.
  const definition = { fileDescriptorProtos } as unknown as MessageTypeDefinition<object, object>;
  new ReflectionService({ logstore: definition }).addToServer(grpc);
}

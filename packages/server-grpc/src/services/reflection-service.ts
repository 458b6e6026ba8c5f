/** Server reflection, v1 and v1alpha: describes the services and messages. */
import type { Server, ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService as Reflection } from "@grpc/reflection";
import { callAll } from "@logstore/codec";

type Call = ServerDuplexStream<unknown, unknown>;

export class ReflectionService {
  readonly #calls = new Set<Call>();

  constructor(definition: PackageDefinition, grpc: Server) {
    const addService = (service: ServiceDefinition, { ServerReflectionInfo: answer }: UntypedServiceImplementation) =>
      grpc.addService(service, {
        ServerReflectionInfo: (call: Call) => {
          this.#calls.add(call);
          const forget = () => this.#calls.delete(call);
          call.once("cancelled", forget).once("finish", forget);
          paced(call);
          (answer as (call: Call) => void)(call);
        },
      });
    new Reflection(definition).addToServer({ addService });
  }

  /** Ends the open calls. */
  end(): void {
    callAll([...this.#calls].map((call) => () => call.end()));
  }
}

/**
 * Requests are answered as soon as they are read; if too many responses are unsent, no more
 * requests are read.
 */
function paced(call: Call): void {
  const write = call.write.bind(call);
  call.write = (message: unknown) => {
    const hasRoom = write(message);
    if (!hasRoom && !call.isPaused()) {
      call.pause();
      call.once("drain", () => call.resume());
    }
    return hasRoom;
  };
}

/** The gRPC server with its services. It does not listen itself, but is given connections. */
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  Server as GrpcServer,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { TopicHealthApi } from "@logstore/protocol";
import { adminService } from "../services/admin-service.js";
import type { CallContext } from "../services/call-context.js";
import { groupService } from "../services/group-service.js";
import { HealthService } from "../services/health-service.js";
import type { Proto } from "../services/load-proto.js";
import { logService } from "../services/log-service.js";
import { ReflectionService } from "../services/reflection-service.js";
import { measuredService } from "../telemetry/measured-service.js";
import type { ServerMetrics } from "../telemetry/server-metrics.js";
import type { Connections } from "../transport/connections.js";
import { http2ServersOf } from "../transport/http2-servers.js";
import { channelOptions } from "../transport/limits.js";
import { paceStreams } from "../transport/paced-streams.js";
import { tellSessionErrors } from "../transport/session-errors.js";
import type { Refused } from "./call-path.js";
import type { Settings } from "./settings.js";

const OUR_SERVICES = ["logstore.v1.LogService", "logstore.v1.AdminService", "logstore.v1.ConsumerGroupService"];

export interface GrpcServices {
  readonly grpc: GrpcServer;
  readonly health: HealthService;
  readonly reflection: ReflectionService | undefined;
  /** Serves a connection. */
  readonly inject: (socket: Socket) => void;
}

interface GrpcServicesOptions {
  readonly settings: Settings;
  readonly proto: Proto;
  readonly topics: Partial<TopicHealthApi>;
  readonly context: CallContext;
  readonly interceptors: ServerInterceptor[];
  readonly metrics: ServerMetrics;
  readonly connections: Connections;
  readonly refused: Refused;
}

export async function grpcServices(options: GrpcServicesOptions): Promise<GrpcServices> {
  const { settings, proto, topics, context, interceptors, metrics } = options;
  const grpc = new GrpcServer({ ...channelOptions(settings.maxBatchBytes), interceptors });
  const add = (name: string, definition: ServiceDefinition, handlers: UntypedServiceImplementation) =>
    grpc.addService(definition, measuredService(name, handlers, metrics));
  add("logstore.v1.LogService", proto.logService, logService(context, proto.encodeListOffsets));
  add("logstore.v1.AdminService", proto.adminService, adminService(context, proto.admin));
  add("logstore.v1.ConsumerGroupService", proto.groupService, groupService(context, proto.group));
  const health = new HealthService(topics, context, OUR_SERVICES);
  add("grpc.health.v1.Health", proto.healthService, health.handlers);
  await nextTurn(); // encoding the descriptors for reflection takes some 20 ms
  const reflection = settings.reflection ? new ReflectionService(proto.definition, grpc) : undefined;
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  watchHttp2(grpc, options);
  return { grpc, health, reflection, inject: (socket) => injector.injectConnection(socket) };
}

function watchHttp2(grpc: GrpcServer, { settings, connections, refused }: GrpcServicesOptions): void {
  const missing = () =>
    settings.onWarning(
      "this release of @grpc/grpc-js does not expose its HTTP/2 servers: calls that come at once begin at once, " +
        "and connections that break HTTP/2 are not reported to onRefused. Use the release that this package requires",
    );
  for (const server of http2ServersOf(grpc, missing)) {
    paceStreams(server);
    tellSessionErrors(server, connections, refused.connection);
  }
}

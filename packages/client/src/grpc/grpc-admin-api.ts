/** The administrative calls of a log behind gRPC: server, topics and snapshots. */
import {
  type CreateTopicRequest,
  configChangeToMessage,
  configFromMessage,
  configToMessage,
  type LogApi,
  type Position,
  positionToMessage,
  type ServerDescription,
  type SnapshotDescription,
  type TopicConfig,
  type TopicConfigChange,
  type TopicDescription,
  type TopicOptions,
  type TopicSummary,
  withDamageFromMessage,
} from "@logstore/protocol";
import { checkOffsets } from "./check-answer.js";
import { checkConfigChange, checkCreateTopic, checkPartition, checkPosition } from "./check-request.js";
import type { GrpcCalls } from "./grpc-calls.js";
import type { Service } from "./load-proto.js";
import { serverIn, topicIn } from "./server-answer.js";

/** The methods of LogApi that AdminService serves. */
export type AdminApi = Pick<
  LogApi,
  | "describeServer"
  | "createTopic"
  | "listTopics"
  | "describeTopic"
  | "alterTopicConfig"
  | "deleteTopic"
  | "deleteRecords"
  | "createSnapshot"
  | "listSnapshots"
  | "deleteSnapshot"
  | "restoreSnapshot"
>;

export class GrpcAdminApi implements AdminApi {
  readonly #service: Service;
  readonly #calls: GrpcCalls;

  constructor(service: Service, calls: GrpcCalls) {
    this.#service = service;
    this.#calls = calls;
  }

  async describeServer(): Promise<ServerDescription> {
    const description = await this.#call("DescribeServer", {}, serverIn);
    this.#calls.limits = description.limits;
    return description;
  }

  /**
   * If the response to an attempt is lost, that attempt may have created the topic: the next one
   * then fails with TOPIC_EXISTS.
   */
  async createTopic(request: CreateTopicRequest): Promise<TopicDescription> {
    checkCreateTopic(request);
    const { topic, partitions, config = {}, ifNotExists = false } = request;
    return this.#call("CreateTopic", { topic, partitions, config: configToMessage(config), ifNotExists }, topicIn);
  }

  listTopics(): Promise<TopicSummary[]> {
    return this.#call("ListTopics", {}, ({ topics }) => topics.map(withDamageFromMessage));
  }

  describeTopic(topic: string): Promise<TopicDescription> {
    return this.#call("DescribeTopic", { topic }, topicIn);
  }

  async alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig> {
    checkConfigChange(topic, change);
    const request = { topic, topicId: options?.topicId, ...configChangeToMessage(change) };
    return this.#call("AlterTopicConfig", request, ({ config }) => configFromMessage(config));
  }

  /**
   * If the response to an attempt is lost, that attempt may have deleted the topic: the next one
   * then fails with UNKNOWN_TOPIC.
   */
  deleteTopic(topic: string, options?: TopicOptions): Promise<void> {
    return this.#call("DeleteTopic", { topic, topicId: options?.topicId }, () => {});
  }

  async deleteRecords(topic: string, partition: number, before: Position, options?: TopicOptions): Promise<number> {
    checkPartition(topic, partition);
    checkPosition(topic, partition, before);
    const request = { topic, topicId: options?.topicId, partition, before: positionToMessage(before) };
    return this.#call("DeleteRecords", request, ({ logStartOffset }) => {
      checkOffsets({ logStartOffset }, { topic, partition });
      return logStartOffset;
    });
  }

  createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    return this.#call("CreateSnapshot", { topic, snapshot }, ({ snapshot }) =>
      withDamageFromMessage<SnapshotDescription>(snapshot),
    );
  }

  listSnapshots(topic = ""): Promise<SnapshotDescription[]> {
    return this.#call("ListSnapshots", { topic }, ({ snapshots }) => snapshots.map(withDamageFromMessage));
  }

  deleteSnapshot(topic: string, snapshot: string): Promise<void> {
    return this.#call("DeleteSnapshot", { topic, snapshot }, () => {});
  }

  restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    return this.#call("RestoreSnapshot", { topic, snapshot, newTopic }, topicIn);
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers are what admin.proto says
  async #call<Result>(name: string, request: object, result: (response: any) => Result): Promise<Result> {
    return result(await this.#calls.unary(this.#service[name]!, request));
  }
}

/** The group calls of a log behind gRPC. */
import {
  type CommitOffsetsRequest,
  type CommitResult,
  type CommittedOffset,
  commitResultFromMessage,
  type GroupApi,
  type GroupDescription,
  type GroupMembership,
  type GroupSummary,
  groupDescriptionFromMessage,
  groupSummaryFromMessage,
  type JoinGroupRequest,
  type MemberEventMessage,
  type MemberMessage,
  type ResetOffsetsRequest,
  resetToMessage,
  type TopicPartition,
} from "@logstore/protocol";
import { checkAnswers, checkCommitted } from "./check-answer.js";
import { checkCommit, checkJoin, checkPartitions, checkReset } from "./check-group-request.js";
import { GrpcMembership } from "./group-membership.js";
import type { GrpcCalls } from "./grpc-calls.js";
import { inPieces } from "./in-pieces.js";
import type { Method, Service } from "./load-proto.js";

export class GrpcGroupApi implements GroupApi {
  readonly #service: Service;
  readonly #calls: GrpcCalls;

  constructor(service: Service, calls: GrpcCalls) {
    this.#service = service;
    this.#calls = calls;
  }

  joinGroup(request: JoinGroupRequest): GroupMembership {
    checkJoin(request);
    const open = () => this.#calls.openLongStream<MemberMessage, MemberEventMessage>(this.#method("JoinGroup"));
    return new GrpcMembership(request, open, (error, hadJoined) => this.#calls.toStreamError(error, hadJoined));
  }

  async commitOffsets(request: CommitOffsetsRequest): Promise<CommitResult[]> {
    checkCommit(request);
    const all: CommitResult[] = [];
    for (const offsets of inPieces(request.offsets)) {
      const { results } = await this.#call("CommitOffsets", { ...request, offsets });
      checkAnswers("results", results, offsets.length);
      for (const result of results) all.push(commitResultFromMessage(result));
    }
    return all;
  }

  async fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    checkPartitions(partitions);
    if (partitions?.length === 0) return []; // an empty list would mean all partitions
    const all: CommittedOffset[] = [];
    for (const some of partitions === undefined ? [undefined] : inPieces(partitions)) {
      const { offsets } = await this.#call("FetchOffsets", { group, partitions: some });
      for (const offset of checkCommitted(offsets)) all.push(offset);
    }
    return all;
  }

  async listGroups(): Promise<GroupSummary[]> {
    return (await this.#call("ListGroups", {})).groups.map(groupSummaryFromMessage);
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    return groupDescriptionFromMessage(await this.#call("DescribeGroup", { group }));
  }

  /** If the response to a shift is lost, the retry shifts the offsets again. */
  async resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]> {
    checkReset(request);
    if (request.partitions?.length === 0) return []; // an empty list would mean all partitions
    const { partitions } = request;
    const all: CommittedOffset[] = [];
    for (const some of partitions === undefined ? [undefined] : inPieces(partitions)) {
      const { offsets } = await this.#call("ResetOffsets", resetToMessage({ ...request, partitions: some }));
      for (const offset of checkCommitted(offsets)) all.push(offset);
    }
    return all;
  }

  /**
   * If the response to an attempt is lost, that attempt may have deleted the group: the next one
   * then fails with UNKNOWN_GROUP.
   */
  async deleteGroup(group: string): Promise<void> {
    await this.#call("DeleteGroup", { group });
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers are what group.proto says
  #call(name: string, request: object): Promise<any> {
    return this.#calls.unary(this.#method(name), request);
  }

  #method(name: string): Method {
    return this.#service[name]!;
  }
}

import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { LogStoreError } from "@logstore/codec";
import { startTimer, UnavailableError } from "@logstore/codec";
import {
  type GroupMembership,
  type JoinGroupRequest,
  type MemberEvent,
  type MemberEventMessage,
  type MemberMessage,
  memberEventFromMessage,
  type TopicPartition,
} from "@logstore/protocol";
import { checkMemberEvent } from "./check-answer.js";
import { inPieces } from "./in-pieces.js";

/** Number of unanswered heartbeats after which the connection is considered lost. */
const MAX_UNANSWERED = 2;
/** Time limit for the server's response to a leave, ms. */
const LEAVE_TIMEOUT_MS = 10_000;

/** A stream with the member's messages in one direction and its events in the other. */
export type MemberStream = ClientDuplexStream<MemberMessage, MemberEventMessage>;

/**
 * A membership as one JoinGroup stream. It is opened when the first event is requested, and the
 * membership ends with it.
 */
export class GrpcMembership implements GroupMembership, AsyncIterator<MemberEvent, undefined> {
  #request: JoinGroupRequest;
  readonly #openStream: () => MemberStream | Promise<MemberStream>;
  readonly #toError: (error: unknown, hadJoined: boolean) => LogStoreError;
  readonly #ended = Promise.withResolvers<void>();
  #stream: MemberStream | undefined;
  #isOpening = false;
  #hasJoined = false;
  #hasEnded = false;
  #failure: LogStoreError | undefined;
  /** Events not yet requested. They are few, because each assignment is complete. */
  readonly #events: MemberEvent[] = [];
  #wake: (() => void) | undefined;
  #unansweredHeartbeats = 0;

  /**
   * @param toError converts the stream's error; its second argument says whether the member had
   * joined
   */
  constructor(
    request: JoinGroupRequest,
    openStream: () => MemberStream | Promise<MemberStream>,
    toError: (error: unknown, hadJoined: boolean) => LogStoreError,
  ) {
    this.#request = request;
    this.#openStream = openStream;
    this.#toError = toError;
  }

  [Symbol.asyncIterator](): this {
    if (!this.#isOpening && !this.#hasEnded) void this.#open();
    return this;
  }

  async next(): Promise<IteratorResult<MemberEvent, undefined>> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#hasEnded) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return { done: true, value: undefined };
  }

  /** Cancels the stream, which the server treats as a lost connection. */
  async return(): Promise<IteratorResult<MemberEvent, undefined>> {
    this.#events.length = 0;
    this.#end();
    this.#stream?.cancel();
    return { done: true, value: undefined };
  }

  heartbeat(): void {
    if (this.#unansweredHeartbeats++ >= MAX_UNANSWERED) {
      this.#end(new UnavailableError("the server does not answer heartbeats"));
      this.#stream?.cancel();
    }
    this.#send({ heartbeat: {} });
  }

  revoked(memberEpoch: number, partitions: readonly TopicPartition[]): void {
    for (const some of inPieces(partitions)) this.#send({ revoked: { memberEpoch, partitions: some } });
  }

  subscribe(topics: readonly string[]): void {
    if (this.#stream === undefined) this.#request = { ...this.#request, topics };
    else this.#send({ subscribe: { topics } });
  }

  /** Leaves the group. Resolves when the server has ended the stream. */
  async leave(): Promise<void> {
    if (this.#stream === undefined) this.#end(); // never opened
    if (this.#stream === undefined || this.#hasEnded) return;
    this.#send({ leave: {} });
    const timer = startTimer(LEAVE_TIMEOUT_MS, () => void this.return());
    await this.#ended.promise;
    timer.cancel();
  }

  #send(message: MemberMessage): void {
    if (this.#stream !== undefined && !this.#hasEnded) this.#stream.write(message);
  }

  async #open(): Promise<void> {
    this.#isOpening = true;
    let stream: MemberStream;
    try {
      const opened = this.#openStream();
      stream = opened instanceof Promise ? await opened : opened;
    } catch (error) {
      return this.#end(this.#toError(error, false));
    }
    stream.on("error", () => {}); // a stream that is left at once is cancelled, which is an error
    if (this.#hasEnded) return stream.cancel();
    this.#stream = stream;
    stream.on("data", (message: MemberEventMessage) => this.#receive(message));
    stream.on("error", (error) => this.#end(this.#toError(error, this.#hasJoined)));
    stream.on("status", () => this.#end());
    stream.write({ join: this.#request });
  }

  #receive(message: MemberEventMessage): void {
    if (this.#hasEnded) return;
    this.#unansweredHeartbeats = 0;
    const event = memberEventFromMessage(message);
    if (event === undefined) return;
    try {
      checkMemberEvent(event);
    } catch (error) {
      this.#end(error as LogStoreError);
      this.#stream?.cancel();
      return;
    }
    if (event.type === "joined") this.#hasJoined = true;
    this.#events.push(event);
    this.#wake?.();
  }

  #end(failure?: LogStoreError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#failure = failure;
    this.#ended.resolve();
    this.#wake?.();
  }
}

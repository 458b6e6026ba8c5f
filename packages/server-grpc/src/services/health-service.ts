/**
 * grpc.health.v1: the status of the server, and of each topic ("topic/<name>"). It is answered
 * while the server stops, too, so that load balancers hear of the stop before calls fail.
 */
import type { handleUnaryCall, ServerUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import { callAll, type ErrorCode, InvalidArgumentError, UnknownTopicError } from "@logstore/codec";
import type { TopicHealth, TopicHealthApi } from "@logstore/protocol";
import { checkNameLength } from "../transport/names.js";
import { sliceLeft } from "../transport/slices.js";
import type { AnyCall, CallContext } from "./call-context.js";
import { type HealthRequest, type HealthResponse, HealthWatchers, type WatchCall } from "./health-watchers.js";

/** Serving once everything found at startup is open. */
const STARTUP = "startup";
const GROUPS = "logstore.v1.ConsumerGroupService";
const TOPIC_PREFIX = "topic/";
/** Largest number of topics in a List response. */
const MAX_LISTED_TOPICS = 1_000;

/** A caller that gets one of these errors may not learn whether the topic exists. */
const REFUSED: ReadonlySet<string> = new Set([
  "INVALID_ARGUMENT",
  "PERMISSION_DENIED",
  "QUOTA_EXCEEDED",
  "UNAUTHENTICATED",
] satisfies ErrorCode[]);

export class HealthService {
  readonly #context: CallContext;
  readonly #topics: Partial<TopicHealthApi>;
  readonly #services: readonly string[];
  #forgetTopics: (() => void) | undefined;
  readonly #watchers = new HealthWatchers();
  #isStopping = false;

  /**
   * @param services those that are serving while calls can be served; "" is the server as a whole
   */
  constructor(topics: Partial<TopicHealthApi>, context: CallContext, services: readonly string[]) {
    this.#topics = topics;
    this.#context = context;
    this.#services = ["", ...services, STARTUP];
  }

  /** Starts to follow topics, until {@link end}. */
  begin(): void {
    this.#forgetTopics = this.#topics.onTopicHealth?.(() => this.#watchers.changed());
  }

  get handlers(): UntypedServiceImplementation {
    return {
      Check: this.#unary(async (call: ServerUnaryCall<HealthRequest, HealthResponse>) => {
        const { service } = call.request;
        const health = await this.#statusOf(call, service);
        if (health === undefined) throw new UnknownTopicError(`there is no service ${JSON.stringify(service)}`);
        return { status: health };
      }),
      List: this.#unary(async (call: ServerUnaryCall<unknown, unknown>) => ({ statuses: await this.#list(call) })),
      Watch: (call: WatchCall) =>
        void this.#watchers.watch(
          call,
          async () => (await this.#statusOf(call, call.request.service)) ?? "SERVICE_UNKNOWN",
          this.#context.errors.toStatus,
        ),
    };
  }

  /** Reports everything as not serving from now on, and notifies watchers. */
  stopping(): void {
    this.#isStopping = true;
    this.#watchers.changed();
  }

  /** Ends all Watch calls. */
  end(): void {
    callAll([() => this.#forgetTopics?.(), () => this.#watchers.end()]);
  }

  async #statusOf(call: AnyCall, service: string): Promise<"SERVING" | "NOT_SERVING" | undefined> {
    checkNameLength(service);
    if (this.#services.includes(service)) {
      return !this.#isStopping && !(await this.#isFailed(service)) ? "SERVING" : "NOT_SERVING";
    }
    if (!service.startsWith(TOPIC_PREFIX)) return undefined;
    const topic = service.slice(TOPIC_PREFIX.length);
    try {
      const isOpen = await this.#checkMayKnow(call, topic);
      const health = await this.#topics.topicHealth?.(topic);
      // Whether a topic could not be opened at all is known only here.
      if (health === undefined || (health === "serving" && !isOpen)) return undefined;
      return health === "serving" && !this.#isStopping ? "SERVING" : "NOT_SERVING";
    } catch (error) {
      if (error instanceof UnknownTopicError) return undefined;
      throw error;
    }
  }

  /**
   * What passes by itself affects the services alone: the status of the server as a whole is for
   * liveness probes, and a restart helps nothing.
   */
  async #isFailed(service: string): Promise<boolean> {
    if ((await this.#topics.storageHealth?.()) === "failed") return true;
    if (service === "") return false;
    return (await this.#healthOf(service)) === "failed";
  }

  #healthOf(service: string): Promise<TopicHealth> | undefined {
    if (service === STARTUP) return this.#topics.startupHealth?.();
    if (service === GROUPS && this.#topics.groupsHealth !== undefined) return this.#topics.groupsHealth();
    return this.#topics.serviceHealth?.();
  }

  /**
   * Called first: a caller that may not know of a topic is refused with the same error whether or
   * not it exists. Returns whether the log has the topic.
   *
   * @throws the error with which the caller is refused
   */
  async #checkMayKnow(call: AnyCall, topic: string): Promise<boolean> {
    const api = await this.#context.apiFor(call);
    try {
      await api.listOffsets({ topic, partitions: [] }); // the permission of describeTopic, without a look at every partition
      return true;
    } catch (error) {
      if (error instanceof UnknownTopicError) return false;
      if (REFUSED.has((error as { code?: string }).code ?? "")) throw error;
      return true; // it is being opened or cannot be: a caller that gets this error may know of it
    }
  }

  async #list(call: AnyCall): Promise<Record<string, HealthResponse>> {
    const api = await this.#context.apiFor(call);
    const topics = await api.listTopics();
    if (topics.length > MAX_LISTED_TOPICS) {
      throw new InvalidArgumentError(`more than ${MAX_LISTED_TOPICS} topics are not listed: check individual topics`);
    }
    const names = [...this.#services, ...topics.map(({ topic }) => `${TOPIC_PREFIX}${topic}`)];
    const statuses: Record<string, HealthResponse> = {};
    for (const name of names) {
      await sliceLeft();
      const health = await this.#statusOf(call, name);
      if (health !== undefined) statuses[name] = { status: health };
    }
    await this.#context.turns.next(); // one long answer is serialized in a turn of the event loop
    return statuses;
  }

  #unary<Call extends AnyCall, Response>(
    answer: (call: Call) => Promise<Response>,
  ): handleUnaryCall<unknown, Response> {
    return (call, respond) => {
      answer(call as unknown as Call).then(
        (response) => respond(null, response),
        (error) => respond(this.#context.errors.toStatus(error)),
      );
    };
  }
}

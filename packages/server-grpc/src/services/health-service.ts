/**
 * grpc.health.v1: whether the server serves, and whether a topic is well ("topic/<name>"). Answered
 * also while the server stops, so that whoever balances load hears of it before calls fail.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type {
  handleUnaryCall,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { callAll, type ErrorCode, InvalidArgumentError, UnknownTopicError } from "@logstore/codec";
import type { TopicHealthApi } from "@logstore/protocol";
import { checkNameLength } from "../transport/names.js";
import { sliceLeft } from "../transport/slices.js";
import type { AnyCall, CallContext } from "./call-context.js";
import { stoppingError } from "./running-calls.js";

type ServingStatus = "SERVING" | "NOT_SERVING";

interface HealthRequest {
  readonly service: string;
}

interface HealthResponse {
  readonly status: ServingStatus | "SERVICE_UNKNOWN";
}

type WatchCall = ServerWritableStream<HealthRequest, HealthResponse>;

/** Told when an answer may have become another one, and when there are no more. */
interface Watcher {
  readonly changed: () => void;
  readonly end: () => void;
}

/** Serving once all that was found at the start is open. */
const STARTUP = "startup";
const TOPIC_PREFIX = "topic/";
/** Watchers that are told between two turns of the event loop. */
const WATCHERS_A_TURN = 100;
/** In one List answer. */
const MAX_LISTED_TOPICS = 1_000;

/** Whoever gets these may not know whether the topic is there. */
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
  /**
   * Those who watch. Each is forgotten with its call: what waited for a promise of the server's
   * would stay until that ends.
   */
  readonly #watchers = new Set<Watcher>();
  #untold = new Set<Watcher>();
  #telling: Promise<void> | undefined;
  #isStopping = false;

  /** @param services that are served whenever the server is; "" stands for all of them */
  constructor(topics: Partial<TopicHealthApi>, context: CallContext, services: readonly string[]) {
    this.#topics = topics;
    this.#context = context;
    this.#services = ["", ...services, STARTUP];
  }

  /** Hears of topics from now on, until {@link end}. */
  begin(): void {
    this.#forgetTopics = this.#topics.onTopicHealth?.(() => this.#changed());
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
      Watch: (call: WatchCall) => void this.#watch(call),
    };
  }

  /** Nothing is serving from now on; whoever watches is told. */
  stopping(): void {
    this.#isStopping = true;
    this.#changed();
  }

  /** Ends what is watched. */
  end(): void {
    callAll([() => this.#forgetTopics?.(), ...[...this.#watchers].map(({ end }) => end)]);
  }

  /**
   * Tells the watchers a few at a time: each looks again, and there may be a thousand on every
   * connection.
   */
  #changed(): void {
    this.#untold = new Set(this.#watchers);
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
    });
  }

  async #tellAll(): Promise<void> {
    while (this.#untold.size > 0) {
      let count = 0;
      for (const watcher of this.#untold) {
        this.#untold.delete(watcher);
        watcher.changed();
        if (++count === WATCHERS_A_TURN) break;
      }
      await nextTurn();
    }
  }

  async #statusOf(call: AnyCall, service: string): Promise<ServingStatus | undefined> {
    checkNameLength(service);
    if (this.#services.includes(service)) {
      const isFailed = async () =>
        (await this.#topics.storageHealth?.()) === "failed" ||
        (service === STARTUP && (await this.#topics.startupHealth?.()) === "failed");
      return !this.#isStopping && !(await isFailed()) ? "SERVING" : "NOT_SERVING";
    }
    if (!service.startsWith(TOPIC_PREFIX)) return undefined;
    const topic = service.slice(TOPIC_PREFIX.length);
    try {
      const isOpen = await this.#checkMayKnow(call, topic);
      const health = await this.#topics.topicHealth?.(topic);
      // One that could not even be opened is known here only.
      if (health === undefined || (health === "serving" && !isOpen)) return undefined;
      return health === "serving" && !this.#isStopping ? "SERVING" : "NOT_SERVING";
    } catch (error) {
      if (error instanceof UnknownTopicError) return undefined;
      throw error;
    }
  }

  /**
   * Before anything else: whoever may not know of a topic is refused in the same words whether it
   * exists or not. Whether the log has it.
   *
   * @throws what it is refused with
   */
  async #checkMayKnow(call: AnyCall, topic: string): Promise<boolean> {
    const api = await this.#context.apiFor(call);
    try {
      await api.listOffsets({ topic, partitions: [] }); // as describeTopic, without a look at every partition
      return true;
    } catch (error) {
      if (error instanceof UnknownTopicError) return false;
      if (REFUSED.has((error as { code?: string }).code ?? "")) throw error;
      return true; // it is being opened, or cannot be: whoever is told why may know of it
    }
  }

  async #list(call: AnyCall): Promise<Record<string, HealthResponse>> {
    const api = await this.#context.apiFor(call);
    const topics = await api.listTopics();
    if (topics.length > MAX_LISTED_TOPICS) {
      throw new InvalidArgumentError(`more than ${MAX_LISTED_TOPICS} topics are not listed: check those that matter`);
    }
    const names = [...this.#services, ...topics.map(({ topic }) => `${TOPIC_PREFIX}${topic}`)];
    const statuses: Record<string, HealthResponse> = {};
    for (const name of names) {
      await sliceLeft();
      const health = await this.#statusOf(call, name);
      if (health !== undefined) statuses[name] = { status: health };
    }
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

  async #watch(call: WatchCall): Promise<void> {
    let isOver = false;
    let isWriting = false;
    let wake = () => {};
    const watcher: Watcher = {
      changed: () => wake(),
      end: () => {
        isOver = true;
        wake();
      },
    };
    const tell = (status: HealthResponse["status"]) => {
      isWriting = true;
      call.write({ status }, () => {
        isWriting = false;
        wake(); // it may have become another one meanwhile
      });
    };
    this.#watchers.add(watcher);
    call.once("cancelled", watcher.end);
    let told: HealthResponse["status"] | undefined;
    try {
      while (!isOver) {
        // Before the look: what happens during it is not missed.
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const health = (await this.#statusOf(call, call.request.service)) ?? "SERVICE_UNKNOWN";
        if (health !== told && !isWriting && !isOver) {
          told = health;
          tell(health);
        }
        if (!isOver) await woken;
      }
      throw stoppingError();
    } catch (error) {
      if (!call.cancelled) call.emit("error", this.#context.errors.toStatus(error));
    } finally {
      this.#watchers.delete(watcher);
      this.#untold.delete(watcher);
    }
  }
}

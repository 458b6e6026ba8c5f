/** Fetch and Consume of one caller, charged to its quota. */
import type {
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  LogApi,
} from "@logstore/protocol";
import type { Caller } from "./caller.js";
import { ChargedBudget } from "./charged-budget.js";
import type { ByteQuota } from "./quotas.js";

/** @throws QuotaExceededError if the quota is used up */
export async function chargedFetch(
  api: LogApi,
  caller: Caller,
  request: FetchRequest,
  options?: FetchOptions,
): Promise<FetchResult> {
  caller.hold({ operation: "consume", name: request.topic });
  const quota = caller.quota?.consume;
  if (!quota) return api.fetch(request, options);
  quota.check();
  const budget = new ChargedBudget({ quota, budget: options?.budget, waitFor: undefined });
  try {
    return budget.delivered(await api.fetch(request, { ...options, budget }));
  } finally {
    budget.close();
  }
}

/** The stream waits if the quota is used up. */
export function chargedConsume(
  api: LogApi,
  caller: Caller,
  request: ConsumeRequest,
  options?: ConsumeOptions,
): AsyncIterable<ConsumeEvent> {
  caller.hold({ operation: "consume", name: request.topic });
  const quota = caller.quota?.consume;
  if (!quota) return api.consume(request, options);
  const signal = options?.signal ?? caller.signal;
  const budget = new ChargedBudget({ quota, budget: options?.budget, waitFor: signal });
  // A reader that waits for its quota must not hold memory that others wait for.
  return slowed(api.consume(request, { ...options, readAhead: false, budget }), budget, quota, signal);
}

/** Requests the next event when the quota allows it. */
async function* slowed(
  events: AsyncIterable<ConsumeEvent>,
  budget: ChargedBudget,
  quota: ByteQuota,
  signal: AbortSignal,
): AsyncGenerator<ConsumeEvent> {
  try {
    await quota.wait(signal);
    for await (const event of events) {
      yield event.type === "batches" ? budget.delivered(event) : event;
      await quota.wait(signal);
    }
  } finally {
    budget.close();
  }
}

/**
 * A log in the same process whose responses may be lost, like those of a server whose connections
 * break.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { UnavailableError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

const LOSS_RATE = 0.3;
/** Probability that a response is late instead: the append continues while it is retried. */
const LATE_RATE = 0.1;

export function forgetful<Api extends LogApi>(api: Api, random: () => number): Api {
  const produce: LogApi["produce"] = async (request) => {
    const fate = random();
    const appended = api.produce({ ...request, isOwned: false }); // it is sent again after an error
    if (fate >= LOSS_RATE) return appended;
    appended.catch(() => {});
    if (fate >= LATE_RATE) await appended;
    else await sleep(0);
    throw new UnavailableError("the answer was lost");
  };
  return new Proxy(api, {
    get(target, name) {
      if (name === "produce") return produce;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

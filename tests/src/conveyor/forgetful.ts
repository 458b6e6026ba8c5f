/** A log in the same process whose answers get lost: what breaking connections are to a server. */
import { setTimeout as sleep } from "node:timers/promises";
import { UnavailableError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

const LOSS_RATE = 0.3;
/** As often an answer comes late: the append goes on while it is made again. */
const LATE_RATE = 0.1;

export function forgetful<Api extends LogApi>(api: Api, random: () => number): Api {
  const produce: LogApi["produce"] = async (request) => {
    const fate = random();
    const appended = api.produce(request);
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

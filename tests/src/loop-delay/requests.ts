/** The largest requests of each kind that a permitted principal may make, and bursts of them. */
import type { RequestGroup } from "./request.ts";
import { appends } from "./requests/appends.ts";
import { largeGroupRequests, manyMembersRequests, patternRequests, restartRequests } from "./requests/groups.ts";
import { openServices } from "./requests/open-services.ts";
import { reads } from "./requests/reads.ts";
import { topics } from "./requests/topics.ts";

/** Each group has a server of its own. */
export const requestGroups: Readonly<Record<string, RequestGroup>> = {
  topics: { requests: topics },
  appends: { requests: appends },
  reads: { requests: reads },
  "open services": { requests: openServices },
  patterns: { requests: patternRequests() },
  "a large group": { requests: largeGroupRequests() },
  "many members": { requests: manyMembersRequests() },
  "a restart": { requests: restartRequests(), isDurable: true },
};

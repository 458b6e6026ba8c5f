import type { Journal } from "./journal/journal.js";
import type { Members } from "./members/members.js";
import type { GroupTopics } from "./state/group-topics.js";

/** The parts of the coordinator, as its operations need them. */
export interface GroupParts {
  readonly journal: Journal;
  readonly members: Members;
  readonly topics: GroupTopics;
}

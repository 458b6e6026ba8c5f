/** Decides from limits whether a log is healthy. */
import { count, counted, duration } from "../output/numbers.js";
import type { Sample } from "../top/sample.js";

export type State = "OK" | "WARNING" | "CRITICAL" | "UNKNOWN";

/** Limits that are not given are not checked; damage always is. */
export interface Limits {
  readonly warnLag?: number;
  readonly critLag?: number;
  /** ms. */
  readonly warnWaiting?: number;
  /** ms. */
  readonly critWaiting?: number;
  /** ms. */
  readonly warnAnswer?: number;
  /** ms. */
  readonly critAnswer?: number;
  /** Members that each group needs at least. */
  readonly minMembers?: number;
}

export interface Metric {
  readonly name: string;
  /** With its unit, as monitoring plug-ins print it. */
  readonly value: string;
  readonly warning?: number | undefined;
  readonly critical?: number | undefined;
}

export interface Verdict {
  readonly state: State;
  /** The worst problem comes first. */
  readonly message: string;
  readonly metrics: readonly Metric[];
}

interface Problem {
  readonly state: "WARNING" | "CRITICAL";
  readonly text: string;
}

export function judge({ topics, groups }: Sample, answerMs: number, limits: Limits): Verdict {
  const problems: Problem[] = [];
  const compare = (value: number, warning: number | undefined, critical: number | undefined, text: string) => {
    if (critical !== undefined && value >= critical) problems.push({ state: "CRITICAL", text });
    else if (warning !== undefined && value >= warning) problems.push({ state: "WARNING", text });
  };
  for (const { topic, damage } of topics) {
    if (damage !== undefined) problems.push({ state: "CRITICAL", text: `topic ${topic} is damaged: ${damage}` });
  }
  for (const { group, lag, lagMs, members } of groups) {
    compare(lag, limits.warnLag, limits.critLag, `group ${group} lags by ${counted(lag, "record")}`);
    compare(lagMs, limits.warnWaiting, limits.critWaiting, `records of group ${group} wait for ${duration(lagMs)}`);
    if (limits.minMembers !== undefined && members < limits.minMembers) {
      problems.push({
        state: "CRITICAL",
        text: `group ${group} has ${counted(members, "member")}, not ${count(limits.minMembers)}`,
      });
    }
  }
  compare(answerMs, limits.warnAnswer, limits.critAnswer, `answers take ${duration(answerMs)}`);
  problems.sort((a, b) => a.state.localeCompare(b.state));
  const lag = Math.max(0, ...groups.map((group) => group.lag));
  const waiting = Math.max(0, ...groups.map((group) => group.lagMs));
  return {
    state: problems[0]?.state ?? "OK",
    message:
      problems.map(({ text }) => text).join("; ") ||
      `${counted(topics.length, "topic")}, ${counted(groups.length, "group")}, largest lag ${counted(lag, "record")}`,
    metrics: [
      { name: "topics", value: String(topics.length) },
      { name: "damaged", value: String(topics.filter(({ damage }) => damage !== undefined).length) },
      { name: "groups", value: String(groups.length) },
      { name: "lag", value: String(lag), warning: limits.warnLag, critical: limits.critLag },
      { name: "waiting", value: `${waiting}ms`, warning: limits.warnWaiting, critical: limits.critWaiting },
      { name: "answer", value: `${answerMs}ms`, warning: limits.warnAnswer, critical: limits.critAnswer },
    ],
  };
}

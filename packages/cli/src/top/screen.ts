/** The live screen of `top`, as lines. */
import { fit } from "../output/display-width.js";
import { count, counted, duration } from "../output/numbers.js";
import type { Style } from "../output/style.js";
import { type Column, table } from "../output/table.js";
import type { RateHistory } from "./history.js";
import type { GroupRow, Rows, Sorting, TopicRow } from "./rows.js";

export interface ScreenState {
  readonly place: string;
  readonly rows: Rows;
  readonly history: RateHistory;
  readonly sorting: Sorting;
  readonly intervalMs: number;
  /** Time of day of the sample. */
  readonly clock: string;
  /** The reason that there is no newer sample. */
  readonly problem?: string | undefined;
}

const KEYS = "q quit   s sort   r reverse   + − interval";

/** Exactly `height` lines, none of them wider than the screen. */
export function screenLines(state: ScreenState, width: number, height: number, style: Style): string[] {
  const { rows, place, clock, sorting, intervalMs, problem } = state;
  const head = [
    `${style("bold", "logstore top")}  ${place}  ${style("dim", clock)}`,
    [
      counted(rows.topics.length, "topic"),
      counted(rows.groups.length, "group"),
      style("green", `${count(rows.perSecond)} records/s`),
      style("dim", `by ${sorting}, every ${duration(intervalMs)}`),
    ].join("   "),
    problem === undefined ? "" : style("red", fit(problem, width)),
  ];
  // There are few groups, and their lag matters most: they get the lines that they need, up to half
  // of the screen.
  const room = height - head.length - 3;
  const groups = table(rows.groups, groupColumns, style, width).slice(0, Math.max(2, Math.floor(room / 2)));
  const topics = table(rows.topics, topicColumns(state.history), style, width);
  const shownTopics = topics.slice(0, Math.max(1, room - groups.length));
  const hidden = topics.length - shownTopics.length;
  const more = hidden > 0 ? style("dim", `… ${counted(hidden, "topic")} more`) : "";
  const body = [...head, ...shownTopics, more, ...groups];
  const lines = body.slice(0, height - 1);
  while (lines.length < height - 1) lines.push("");
  return [...lines, style("dim", fit(KEYS, width))];
}

/** Shared with the plain table. */
export function topicColumns(history?: RateHistory): readonly Column<TopicRow>[] {
  return [
    { title: "TOPIC", value: ({ topic }) => topic, format: ({ damage }) => (damage ? "red" : undefined), minWidth: 10 },
    { title: "PARTITIONS", value: ({ partitions }) => count(partitions), align: "right" },
    { title: "RECORDS", value: ({ records }) => count(records), align: "right" },
    {
      title: "RECORDS/S",
      value: ({ perSecond }) => count(perSecond),
      align: "right",
      format: ({ perSecond }) => (perSecond > 0 ? "green" : "dim"),
    },
    ...(history === undefined
      ? []
      : [
          {
            title: "LATELY",
            align: "right" as const,
            value: ({ topic }: TopicRow) => history.bars(topic),
            format: () => "cyan" as const,
          },
        ]),
    { title: "DAMAGE", value: ({ damage }) => damage, format: () => "red", isOptional: true, minWidth: 10 },
  ];
}

/** Lag of this age or older, in ms, is shown in yellow, and in red from {@link VERY_LATE_MS} on. */
const LATE_MS = 10_000;
const VERY_LATE_MS = 60_000;

export const groupColumns: readonly Column<GroupRow>[] = [
  { title: "GROUP", value: ({ group }) => group, minWidth: 10 },
  { title: "STATE", value: ({ state }) => state, format: ({ members }) => (members === 0 ? "dim" : undefined) },
  { title: "MEMBERS", value: ({ members }) => count(members), align: "right" },
  { title: "LAG", value: ({ lag }) => count(lag), align: "right", format: lagFormat },
  {
    title: "WAITING",
    value: ({ lag, lagMs }) => (lag === 0 ? undefined : duration(lagMs)),
    align: "right",
    format: lagFormat,
  },
  { title: "RECORDS/S", value: ({ perSecond }) => count(perSecond), align: "right" },
  { title: "TOPICS", value: ({ topics }) => topics.join(", "), minWidth: 8 },
];

function lagFormat({ lag, lagMs }: GroupRow) {
  if (lag === 0) return "dim";
  if (lagMs >= VERY_LATE_MS) return "red";
  return lagMs >= LATE_MS ? "yellow" : undefined;
}

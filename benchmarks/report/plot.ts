/**
 * Draws a result as SVG for light and dark pages: as bars, or, for times of very different length,
 * as points on a logarithmic axis.
 */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { LIMITS } from "../src/contestants/limits.ts";
import { quantity } from "../src/reports/text.ts";
import type { Result } from "../src/statistics/result.ts";
import { spreadOf } from "../src/statistics/spread.ts";

/** Readable on light and on dark pages. */
const COLOURS = { ours: "#1f9384", limit: "#8b979966", peer: "#8b9799" };
const FONT = "system-ui, sans-serif";
const FONT_SIZE = 12;
const WIDTH = 460;
const ROW_HEIGHT = 24;
/** Of the length of the axis, for the figure behind the longest bar. */
const ROOM_FOR_FIGURES = 0.45;
/** The longest time ÷ the shortest, from which on the axis is logarithmic. */
const LOGARITHMIC_FROM = 100;

const STYLE = `<style>svg { color: #1c2527 } @media (prefers-color-scheme: dark) { svg { color: #e4e8e6 } }</style>`;

export async function plot(result: Result): Promise<string> {
  const rows = result.series
    .filter(({ values }) => values.length > 0)
    .map(({ contestant, values }) => {
      const { median, min, max } = spreadOf(values);
      return { contestant, median, min, max, figure: figureOf(result, contestant, median), kind: kindOf(contestant) };
    });
  const { spec } = compile(specOf(result, rows, axisOf(result.unit, rows)));
  const svg = await new View(parse(spec), { renderer: "none" }).toSVG();
  const title = `<title>${escaped(result.title)}</title>`;
  return `${svg.replace(/^(<svg [^>]*)>/, `$1 role="img">${title}${STYLE}`)}\n`;
}

interface Row {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

interface Axis {
  readonly type: "linear" | "log";
  readonly domain: [from: number, to: number];
}

function axisOf(unit: string, rows: readonly Row[]): Axis {
  const longest = Math.max(...rows.map(({ max }) => max));
  const shortest = Math.min(...rows.map(({ min }) => min));
  const medians = rows.map(({ median }) => median);
  const isTime = unit === "ms" || unit === "µs";
  const isLogarithmic = isTime && Math.max(...medians) / Math.min(...medians) >= LOGARITHMIC_FROM;
  if (!isLogarithmic) return { type: "linear", domain: [0, longest * (1 + ROOM_FOR_FIGURES)] };
  const from = shortest * 0.9;
  return { type: "log", domain: [from, longest * (longest / from) ** ROOM_FOR_FIGURES] };
}

/** As "2,400,000 (62 % of the limit)". */
function figureOf({ series }: Result, contestant: string, value: number): string {
  const limit = series.find((one) => LIMITS.includes(one.contestant) && one.values.length > 0);
  if (limit === undefined || kindOf(contestant) !== "ours") return quantity(value);
  return `${quantity(value)} (${Math.round((value / spreadOf(limit.values).median) * 100)} % of the limit)`;
}

function specOf({ title, unit }: Result, values: readonly object[], { type, domain }: Axis): TopLevelSpec {
  const y = {
    field: "contestant",
    type: "nominal",
    sort: null,
    title: null,
    axis: { ticks: false, domain: false, labelLimit: 480, labelPadding: 8 },
  } as const;
  const x = (field: string) =>
    ({
      field,
      type: "quantitative",
      title: [unit, type === "log" ? "logarithmic" : ""].filter(Boolean).join(", ") || null,
      scale: { type, domain: domain as number[], nice: false },
      axis: {
        tickCount: 5,
        format: "~s",
        labelExpr: "datum.value < 1 ? datum.value : datum.label", // not "100m"
        domain: false,
        ticks: false,
      },
    }) as const;
  const ink = { value: "currentColor" } as const;
  return {
    background: "transparent",
    title: {
      text: title,
      anchor: "start",
      frame: "group",
      color: "currentColor",
      font: FONT,
      fontSize: 14,
      offset: 10,
    },
    width: WIDTH,
    height: { step: ROW_HEIGHT },
    data: { values: [...values] },
    layer: [
      {
        mark:
          type === "log"
            ? { type: "point", filled: true, size: 130, opacity: 1 }
            : { type: "bar", height: 14, cornerRadiusEnd: 2 },
        encoding: {
          y,
          x: x("median"),
          color: {
            field: "kind",
            type: "nominal",
            scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
            legend: null,
          },
        },
      },
      { mark: { type: "rule", opacity: 0.6 }, encoding: { y, x: x("min"), x2: { field: "max" }, color: ink } },
      {
        mark: { type: "text", align: "left", dx: 6, font: FONT, fontSize: FONT_SIZE },
        encoding: { y, x: x("max"), text: { field: "figure" }, color: ink },
      },
    ],
    config: {
      view: { stroke: null },
      axis: {
        ...{ labelColor: "currentColor", titleColor: "currentColor", gridColor: "#8b9799", gridOpacity: 0.25 },
        ...{ labelFont: FONT, titleFont: FONT, labelFontSize: FONT_SIZE, titleFontSize: FONT_SIZE },
        titleFontWeight: "normal",
      },
    },
  };
}

function kindOf(contestant: string): keyof typeof COLOURS {
  if (contestant.startsWith("LogStore")) return "ours";
  return LIMITS.includes(contestant) ? "limit" : "peer";
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** Shows the progress of both sides: bars on a terminal, plain lines elsewhere. */
import cliProgress from "cli-progress";

export interface Progress {
  add(side: string, count: number): void;
  stop(): void;
}

export function startProgress(sides: readonly { name: string; total: number }[]): Progress {
  return process.stdout.isTTY ? bars(sides) : lines(sides);
}

function bars(sides: readonly { name: string; total: number }[]): Progress {
  const format = "{side} {bar} {value}/{total} flights";
  const multi = new cliProgress.MultiBar({ format, hideCursor: true }, cliProgress.Presets.shades_classic);
  const bySide = new Map(sides.map(({ name, total }) => [name, multi.create(total, 0, { side: name.padEnd(10) })]));
  return { add: (side, count) => bySide.get(side)?.increment(count), stop: () => multi.stop() };
}

function lines(sides: readonly { name: string; total: number }[]): Progress {
  const bySide = new Map(sides.map(({ name, total }) => [name, { total, value: 0, quarters: 0 }]));
  return {
    add(name, count) {
      const side = bySide.get(name);
      if (side === undefined) return;
      side.value += count;
      const quarters = Math.floor((side.value / side.total) * 4);
      if (quarters === side.quarters) return;
      side.quarters = quarters;
      console.log(`${name}: ${side.value} of ${side.total} flights`);
    },
    stop() {},
  };
}

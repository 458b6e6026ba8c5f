const { flushed } = await import("./engine/flushed.ts") as any;
const { singleAppends } = await import("./engine/single-appends.ts") as any;
const { mkdirSync, rmSync } = await import("node:fs");
mkdirSync("/tmp/mini", { recursive: true });
const s = { directory: "/tmp/mini", records: 1_000_000, rounds: 5 } as any;
for (const f of [flushed, singleAppends]) if (f) for (const r of await f(s)) console.log(r.name, Math.round(r.measured.median), r.unit, r.limit?.name, r.limit?.ratio.median?.toFixed(2), r.limit?.ratio.min?.toFixed(2), r.limit?.ratio.max?.toFixed(2));
rmSync("/tmp/mini",{recursive:true});

const { append } = await import("/work/main/benchmarks/src/engine/append.ts");
const { mkdirSync, rmSync } = await import("node:fs");
mkdirSync("/tmp/mini", { recursive: true });
const r = await append({ directory: "/tmp/mini", records: 1_000_000, rounds: 7 } as any);
console.log(JSON.stringify(r, null, 0).slice(0, 900));
rmSync("/tmp/mini",{recursive:true});

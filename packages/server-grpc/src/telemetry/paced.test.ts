import { expect, test } from "vitest";
import { Paced } from "./paced.js";

const patient = { pauseMs: 0, pauseFactor: 0, waitMs: 60_000 };

test("concurrent callers share one run", async () => {
  let runs = 0;
  const paced = new Paced(async () => ++runs, { ...patient, pauseMs: 60_000 });
  const values = await Promise.all([paced.get(), paced.get(), paced.get()]);
  expect(values.map((each) => each?.value)).toEqual([1, 1, 1]);
  expect((await paced.get())?.value).toBe(1);
  expect(runs).toBe(1);
});

test("a slow run is not awaited, and no second one is started", async () => {
  const slow = Promise.withResolvers<string>();
  let runs = 0;
  const make = () => {
    runs++;
    return runs === 1 ? Promise.resolve("first") : slow.promise;
  };
  const paced = new Paced(make, { ...patient, waitMs: 0 });
  await paced.get();
  for (let i = 0; i < 3; i++) expect((await paced.get())?.value).toBe("first");
  expect(runs).toBe(2);
  slow.resolve("second");
  await slow.promise;
  expect((await paced.get())?.value).toBe("second");
});

test("after a failed run there is no value until the next one", async () => {
  let runs = 0;
  const make = async () => {
    if (++runs === 2) throw new Error("not open");
    return runs;
  };
  const paced = new Paced(make, patient);
  expect((await paced.get())?.value).toBe(1);
  expect(await paced.get()).toBeUndefined();
  expect((await paced.get())?.value).toBe(3);
});

test("a slow run is followed by a proportional pause", async () => {
  let runs = 0;
  const make = async () => {
    const end = performance.now() + 5;
    while (performance.now() < end);
    return ++runs;
  };
  const paced = new Paced(make, { ...patient, pauseFactor: 1e6 });
  await paced.get();
  await paced.get();
  expect(runs).toBe(1);
});

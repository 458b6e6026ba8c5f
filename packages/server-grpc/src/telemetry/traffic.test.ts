import { expect, test } from "vitest";
import { Traffic } from "./traffic.js";

test("a topic name that a peer invented is forgotten when its last call ends", () => {
  const traffic = new Traffic();
  const counts = traffic.begin("invented");
  expect(traffic.begin("invented")).toBe(counts); // calls at the same time share them
  traffic.end("invented", counts);
  expect(traffic.begin("invented")).toBe(counts);
  traffic.end("invented", counts);
  traffic.end("invented", counts);
  expect(traffic.begin("invented")).not.toBe(counts);
  expect([...traffic.topics]).toEqual([]);
});

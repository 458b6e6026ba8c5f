import { expect, test } from "vitest";
import { callAll } from "./call-all.js";

test("calls every function even if one throws, and throws the first error", () => {
  const called: number[] = [];
  const throwing = (n: number) => () => {
    called.push(n);
    throw new Error(`error ${n}`);
  };
  expect(() => callAll([() => called.push(1), throwing(2), throwing(3), () => called.push(4)])).toThrow("error 2");
  expect(called).toEqual([1, 2, 3, 4]);
});

test("resumes a generator only after the previous function has returned", () => {
  let left = 3;
  function* whileLeft() {
    while (left > 0) {
      yield () => {
        left--;
        throw new Error("in between");
      };
    }
  }
  expect(() => callAll(whileLeft())).toThrow("in between");
  expect(left).toBe(0);
});

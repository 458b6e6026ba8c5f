/** Standard Schema validators, written by hand. */
import type { StandardSchemaV1 } from "@standard-schema/spec";

export interface Flight {
  readonly carrier: string;
  readonly delay: number;
}

type Result = StandardSchemaV1.Result<Flight>;

function check(value: unknown): Result {
  const { carrier, delay } = (value ?? {}) as Partial<Flight>;
  if (typeof carrier !== "string") return { issues: [{ message: "must be a string", path: ["carrier"] }] };
  if (typeof delay !== "number") return { issues: [{ message: "must be a number", path: [{ key: "delay" }] }] };
  return { value: { carrier, delay } };
}

function schema(validate: (value: unknown) => Result | Promise<Result>): StandardSchemaV1<Flight, Flight> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

export const flights = schema(check);

/** An async validator that takes longer for smaller delays. */
export const slowFlights = schema(async (value) => {
  const { delay } = value as Flight;
  for (let i = 0; i < 20 - delay; i++) await Promise.resolve();
  return check(value);
});

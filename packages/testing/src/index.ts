/// <reference lib="esnext.disposable" preserve="true" />

export { type CaughtUpOptions, NotCaughtUpError } from "./caught-up.js";
export type { FixtureRecord, FixtureValue } from "./fixtures.js";
export { TestBroker, testBroker } from "./test-broker.js";
export type { TestBrokerOptions } from "./test-broker-options.js";

/**
 * The owners of partitions are stored in one message. What does not fit is an error, not silence.
 */
import { ResourceLimitExceededError } from "@logstore/codec";
import { expect, test, vi } from "vitest";
import { encodeTopic } from "../catalogue/topic-record.js";
import type { Bucket } from "../nats/bucket.js";
import { leaseKey, OWNERS_KEY, topicKey } from "../nats/names.js";
import { ClusterView } from "./cluster-view.js";
import { Controller } from "./controller.js";
import { encodeLease } from "./lease-record.js";
import { decodeOwners, encodeOwners } from "./owners-record.js";

test("owners that fit are stored as they are, others are refused with the size that they need", () => {
  const owners = { journals: ["a", undefined], topics: new Map([["t", ["a", "b", undefined]]]) };
  const value = encodeOwners(owners, 1_000);
  expect(decodeOwners(OWNERS_KEY, value)).toEqual(owners);
  expect(encodeOwners(owners, value.length)).toEqual(value);
  const refused = () => encodeOwners(owners, value.length - 1);
  expect(refused).toThrow(ResourceLimitExceededError);
  expect(refused).toThrow("raise max_payload");
});

test("a controller that cannot store the owners says so", async () => {
  const set = vi.fn(async () => 1);
  const bucket = { maxValueBytes: 200, set } as unknown as Bucket;
  const view = new ClusterView("a", "incarnation");
  const lease = { incarnation: "incarnation", renewal: 1, address: "a:1", isDraining: false };
  view.see({ key: leaseKey("a"), value: encodeLease(lease), revision: 1 });
  const errors: unknown[] = [];
  const controller = new Controller(bucket, view, { mayDecide: () => true, failed: (error) => errors.push(error) });
  controller.wake();
  await controller.settle();
  expect(set).toHaveBeenCalledTimes(1);
  const record = { id: "b2c1", partitions: 200, partitioner: "p", config: {} };
  view.see({ key: topicKey("large"), value: encodeTopic(record), revision: 2 });
  controller.wake();
  await controller.settle();
  expect(set).toHaveBeenCalledTimes(1);
  expect(errors).toEqual([expect.objectContaining({ code: "RESOURCE_LIMIT_EXCEEDED" })]);
});

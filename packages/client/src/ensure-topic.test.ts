import { TopicExistsError, UnknownTopicError } from "@logstore/codec";
import { expect, test } from "vitest";
import { FakeLogApi } from "../test/fake-log-api.js";
import { connect } from "./index.js";

test("a topic that another client creates meanwhile is taken as it is", async () => {
  const api = new FakeLogApi();
  const createTopic = api.createTopic.bind(api);
  api.createTopic = async (request) => {
    await createTopic(request); // the request of the other client
    return createTopic(request);
  };
  const ensured = await connect(api).ensureTopic("t", { partitions: 3 });
  expect(ensured.partitions).toHaveLength(3);
  api.topics.clear();
  await expect(connect(api).ensureTopic("t", { partitions: 3 })).resolves.toEqual(ensured);
});

test("a topic that comes and goes is not looked for without end", async () => {
  const api = new FakeLogApi();
  let creations = 0;
  api.createTopic = async ({ topic }) => {
    creations++;
    throw new TopicExistsError(`${topic} exists`, { topic });
  };
  api.onDescribe = () => {
    throw new UnknownTopicError("no topic t", { topic: "t" });
  };
  await expect(connect(api).ensureTopic("t")).rejects.toMatchObject({ code: "TOPIC_EXISTS" });
  expect(creations).toBe(5);
});

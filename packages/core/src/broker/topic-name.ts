/** Names of topics: anything that is safe in a path, a metric and a shell, though none of them is ever made of one unchecked. */
import { InvalidArgumentError } from "@logstore/codec";

const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/;

/** @throws InvalidArgumentError */
export function checkTopicName(name: string): void {
  if (typeof name === "string" && TOPIC_NAME.test(name) && name !== "." && name !== "..") return;
  throw new InvalidArgumentError(
    `${JSON.stringify(String(name).slice(0, 300))} is no topic name: use 1 to 249 of A-Z a-z 0-9 . _ - and neither "." nor ".."`,
  );
}

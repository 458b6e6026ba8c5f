import type { CreateTopicOptions } from "@logstore/client";
import { checkArgument, objectWith, wholeNumber } from "@logstore/codec";
import type { BrokerOptions } from "@logstore/core";

/** Options of {@link testBroker}: its topics, and any option of a broker. */
export interface TestBrokerOptions extends Omit<BrokerOptions, "storage" | "waitForTopics"> {
  /**
   * The topics to create, by name: a number of partitions, or the options of `client.createTopic`.
   * Default: none.
   */
  readonly topics?: Readonly<Record<string, number | CreateTopicOptions>> | undefined;
  /** Determines what a power cut leaves to chance. Default 1. */
  readonly seed?: number | undefined;
}

/** The other options are checked by the broker. @throws InvalidArgumentError */
export function checkTestBrokerOptions({ topics, seed }: TestBrokerOptions): void {
  checkArgument("testBroker", "topics", topics, objectWith());
  checkArgument("testBroker", "seed", seed, wholeNumber());
}

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  /**
   * In a request: the expected id of the topic; the call fails if the topic of this name has
   * another id. In a response: the id of the topic.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
}

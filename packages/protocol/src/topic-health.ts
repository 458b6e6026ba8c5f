/** Health of topics and storage, for monitoring. A log may implement it. */
export interface TopicHealthApi {
  /**
   * Returns the health of one topic.
   *
   * @throws UnknownTopicError
   */
  topicHealth(topic: string): Promise<TopicHealth>;

  /**
   * Returns whether data can be written at all; it cannot if the data directory has disappeared,
   * for example. Default: serving.
   */
  storageHealth?(): Promise<TopicHealth>;

  /**
   * Returns whether calls can be served at present; they cannot while a cluster that stores the
   * data has no quorum, for example. This passes by itself. Default: serving.
   */
  serviceHealth?(): Promise<TopicHealth>;

  /**
   * Returns whether calls of consumer groups can be served at present; they cannot while a journal
   * of groups has no quorum, for example. Default: as `serviceHealth`.
   */
  groupsHealth?(): Promise<TopicHealth>;

  /** Returns whether everything found at startup is open. Default: serving. */
  startupHealth?(): Promise<TopicHealth>;

  /**
   * Calls `changed` whenever the health of a topic or of the storage may have changed, including
   * when a topic is created or deleted. Returns a function that unsubscribes.
   */
  onTopicHealth(changed: () => void): () => void;
}

/**
 * `failed`: at least one partition cannot be read to its end, accepts no appends at present or any
 * more, or is still being opened.
 */
export type TopicHealth = "serving" | "failed";

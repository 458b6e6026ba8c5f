import type { Serialize } from "./in-pieces.js";

/** Serializers of messages of admin.proto, by name. */
export interface AdminSerializers {
  readonly TopicDescription: Serialize;
  readonly Snapshot: Serialize;
  readonly ListTopicsResponse: Serialize;
}

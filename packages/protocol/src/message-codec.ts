/** Encodes and decodes one type of messages. */
export interface MessageCodec {
  /**
   * A field that is null or undefined is omitted, and so is one that has its default value, unless
   * it is optional or part of a oneof.
   */
  encode(message: object): Uint8Array;
  /**
   * An absent field has its default value: 0, "", false, no bytes, an empty array, or null for a
   * message. Absent fields that are optional or part of a oneof are omitted. An int64 beyond 2^53
   * is inexact.
   *
   * @throws RangeError if the message is malformed
   */
  decode(bytes: Uint8Array): object;
}

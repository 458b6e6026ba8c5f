/**
 * A line of the access log, in binary: the record's key is the client, its timestamp the time of
 * access.
 */
import type { Serializer } from "@logstore/client";

export interface Access {
  readonly path: string;
  readonly status: number;
  /** Time from the request's arrival until the response was handed to the system, in µs. */
  readonly durationUs: number;
}

export const TOPIC = "access";
export const PARTITIONS = 8;

const DURATION_OFFSET = 2;
const PATH_OFFSET = 6;

export const accessFormat: Serializer<Access> = {
  serialize({ path, status, durationUs }) {
    const bytes = Buffer.alloc(PATH_OFFSET + Buffer.byteLength(path));
    bytes.writeUInt16LE(status);
    bytes.writeUInt32LE(durationUs, DURATION_OFFSET);
    bytes.write(path, PATH_OFFSET);
    return bytes;
  },
  deserialize({ buffer, byteOffset, length }) {
    const bytes = Buffer.from(buffer, byteOffset, length);
    return {
      status: bytes.readUInt16LE(),
      durationUs: bytes.readUInt32LE(DURATION_OFFSET),
      path: bytes.toString("utf8", PATH_OFFSET),
    };
  },
};

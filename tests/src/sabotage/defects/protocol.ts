/** Defects of the protocol. */
import { type Defect, within } from "./defect.ts";

export const protocolDefects: readonly Defect[] = [
  ...within("protocol/batch-messages.ts", ["src/batch-messages.test.ts"], {
    "frames over what is before too small a headroom": [
      "  if (prefix.length <= headroomBytes && start >= 0) {",
      "  if (start >= 0) {",
    ],
  }),
  ...within("protocol/message-schema.ts", ["test/message-schema.test.ts"], {
    "forgets that a field is optional": ["hasPresence: present.has(name)", "hasPresence: false"],
    "takes one of many": [
      "if (field.isRepeated) append(message[field.name] as unknown[], field.kind.readRepeated(reader));",
      "if (field.isRepeated) message[field.name] = field.kind.readRepeated(reader);",
    ],
  }),
  ...within("protocol/value-kinds.ts", ["test/message-schema.test.ts"], {
    "sends a signed number as an unsigned one": ["zigzag(toInt64(value))", "toInt64(value)"],
  }),
  ...within("protocol/receive-in-place.ts", ["src/receive-in-place.test.ts"], {
    "gives a window back for each message": [
      "if (stream.readableLength < stream.readableHighWaterMark) stream._read(0);",
      "stream._read(0);",
    ],
    "joins frames before those that wait": [
      "(framesWait || joiner.waiting > MOST_WAITING)",
      "joiner.waiting > MOST_WAITING",
    ],
    "keeps the messages of calls that have ended": ["if (stream.readableLength === 0) joiner.forgetJoined();", ""],
  }),
  ...within("protocol/protobuf.ts", ["test/message-schema.test.ts"], {
    "drops a byte order mark": ['new TextDecoder("utf-8", { ignoreBOM: true })', "new TextDecoder()"],
    "takes packed numbers for one": [
      "while (this.#at < start + length) values.push(this.#varint());",
      "values.push(this.#varint());",
    ],
  }),
];

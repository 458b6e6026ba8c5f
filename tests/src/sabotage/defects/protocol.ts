/** Defects of the protocol. */
import { type Defect, within } from "./defect.ts";

export const protocolDefects: readonly Defect[] = [
  ...within("protocol/batch-messages.ts", ["src/batch-messages.test.ts"], {
    "frames over what is before too small a headroom": [
      "  if (prefix.length <= headroomBytes && start >= 0) {",
      "  if (start >= 0) {",
    ],
  }),
];

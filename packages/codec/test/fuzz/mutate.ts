/** Ways to damage batches, with and without valid checksums. */
import type { Random } from "./random.js";
import { seal } from "./seal.js";

const HEADER = 72;
const BYTES = [0, 1, 2, 3, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff];
const LENGTHS = [0, 1, 2, 3, 71, 72, 74, 75, 76, 255, 65_535, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

type Mutation = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

/** Any position, in the header as often as in the rest. */
function place(bytes: Uint8Array, random: Random): number {
  return random.below(2) === 0 ? random.below(Math.min(HEADER, bytes.length)) : random.below(bytes.length);
}

/** A position in the records, if there are any. */
function within(bytes: Uint8Array, random: Random): number {
  return bytes.length > HEADER ? HEADER + random.below(bytes.length - HEADER) : random.below(bytes.length);
}

function near(length: number, random: Random): number {
  return random.below(2) === 0 ? random.oneOf(LENGTHS) : Math.max(0, length + random.below(9) - 4);
}

const flipBits: Mutation = (bytes, random) => {
  for (let i = random.below(3); i >= 0; i--) bytes[place(bytes, random)]! ^= 1 << random.below(8);
  return bytes;
};

const flipAndSeal: Mutation = (bytes, random) => seal(flipBits(bytes, random, []));

/** What a faulty or hostile producer might send: its checksums are valid. */
const editRecords: Mutation = (bytes, random) => {
  for (let i = random.below(4); i >= 0; i--) bytes[within(bytes, random)] = random.oneOf(BYTES);
  return seal(bytes);
};

const insertOrRemove: Mutation = (bytes, random) => {
  const at = within(bytes, random);
  const added = random.bytes(random.below(6));
  const rest = bytes.subarray(Math.min(bytes.length, at + random.below(6)));
  const edited = Uint8Array.from([...bytes.subarray(0, at), ...added, ...rest]);
  const follows = bytes[70] === 0 && random.below(4) > 0;
  return seal(edited, follows ? { recordsLength: Math.max(0, edited.length - HEADER) } : {});
};

const editLengths: Mutation = (bytes, random) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER) return bytes;
  switch (random.below(4)) {
    case 0:
      return seal(bytes, { batchLength: near(bytes.length, random) });
    case 1:
      return seal(bytes, { recordCount: near(view.getUint32(60, true), random) });
    case 2:
      return seal(bytes, { recordsLength: near(view.getUint32(64, true), random) });
    default:
      return seal(bytes, { compression: random.oneOf([0, 1, 2, 3, 63, 64, 90, 127, 255]) });
  }
};

const truncate: Mutation = (bytes, random) => {
  const cut = bytes.slice(0, 1 + random.below(bytes.length));
  return random.below(2) === 0 ? cut : seal(cut);
};

const splice: Mutation = (bytes, random, others) => {
  const other = random.oneOf(others);
  const spliced = Uint8Array.from([
    ...bytes.subarray(0, within(bytes, random)),
    ...other.subarray(within(other, random)),
  ]);
  return random.below(2) === 0
    ? spliced
    : seal(spliced, bytes[70] === 0 ? { recordsLength: spliced.length - HEADER } : {});
};

/** Several consecutive batches, one of which is damaged. */
const follow: Mutation = (bytes, random, others) => {
  const damaged = random.oneOf([flipBits, editRecords, editLengths, truncate])(bytes, random, others);
  const parts = [random.oneOf(others), damaged, random.oneOf(others)];
  return Uint8Array.from(Buffer.concat(parts.slice(random.below(2))));
};

const noise: Mutation = (_, random) => {
  const bytes = random.bytes(1 + random.below(200));
  const count = 1 + random.below(4);
  return random.below(3) === 0
    ? bytes
    : seal(bytes, { recordCount: count, recordsLength: bytes.length - HEADER, compression: 0 });
};

/** Records of nothing but length bytes, with a valid header. */
const soup: Mutation = (_, random) => {
  const bytes = new Uint8Array(HEADER + 3 + random.below(40));
  for (let at = HEADER; at < bytes.length; at++)
    bytes[at] = random.oneOf([0, 0, 1, 2, 3, 4, 5, 6, 8, 12, 0x7f, 0x80, 0xff]);
  return seal(bytes, { recordCount: 1 + random.below(4), recordsLength: bytes.length - HEADER });
};

const mutations = [
  flipBits,
  flipAndSeal,
  editRecords,
  editRecords,
  insertOrRemove,
  editLengths,
  truncate,
  splice,
  follow,
  noise,
  soup,
];

export function mutate(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const bytes = Uint8Array.from(random.oneOf(corpus));
  const damaged = random.oneOf(mutations)(bytes, random, corpus);
  // A batch to append has an empty server half: any other would fail the first check of an append.
  if (random.below(2) === 0 || damaged.length < HEADER) return damaged;
  return seal(damaged.fill(0, 8, 32));
}

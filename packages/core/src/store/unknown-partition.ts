import { UnknownPartitionError } from "@logstore/codec";

/** @throws UnknownPartitionError */
export function unknownPartition(partition: number, count: number): never {
  throw new UnknownPartitionError(`there is no partition ${partition}: they are 0 to ${count - 1}`, {
    partition,
    expected: count,
  });
}

import { InvalidArgumentError, shown, UnknownPartitionError } from "@logstore/codec";

/** @throws UnknownPartitionError; InvalidArgumentError where it is no number at all */
export function unknownPartition(partition: number, count: number): never {
  if (typeof partition !== "number") {
    throw new InvalidArgumentError(`a partition must be a whole number, not ${shown(partition)}`);
  }
  throw new UnknownPartitionError(`there is no partition ${partition}: they are 0 to ${count - 1}`, {
    partition,
    expected: count,
  });
}

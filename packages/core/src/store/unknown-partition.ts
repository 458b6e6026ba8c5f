import { InvalidArgumentError, shown, UnknownPartitionError } from "@logstore/codec";

/** @throws UnknownPartitionError; InvalidArgumentError if it is not a number */
export function partitionAt<Log>(partitions: readonly Log[], partition: number): Log {
  const log = typeof partition === "number" ? partitions[partition] : undefined;
  if (log !== undefined) return log;
  if (typeof partition !== "number") {
    throw new InvalidArgumentError(`a partition must be a whole number, not ${shown(partition)}`);
  }
  throw new UnknownPartitionError(`there is no partition ${partition}: they are 0 to ${partitions.length - 1}`, {
    partition,
    expected: partitions.length,
  });
}

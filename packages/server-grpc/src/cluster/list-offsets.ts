/** Looks up positions of partitions that have several owners: one call an owner. */
import type { ListOffsetsRequest, LogApi, PartitionOffset } from "@logstore/protocol";

/** Number of partitions that are looked up concurrently in the own broker. */
const CONCURRENCY = 4;

/**
 * @param own the own broker
 * @param ownerIn returns the address that a refusal of the own broker names; throws if there is
 * none
 * @param ask looks up positions at another broker
 */
export async function listOffsetsOfOwners(
  request: ListOffsetsRequest,
  own: LogApi,
  ownerIn: (error: unknown) => string,
  ask: (address: string, request: ListOffsetsRequest) => Promise<PartitionOffset[]>,
): Promise<PartitionOffset[]> {
  const answers: PartitionOffset[] = new Array(request.partitions.length);
  const elsewhere = new Map<string, number[]>();
  const waiting = request.partitions.entries();
  const lookUp = async () => {
    for (const [i, one] of waiting) {
      try {
        // The own broker refuses what it does not own before it looks anything up.
        [answers[i]] = (await own.listOffsets({ ...request, partitions: [one] })) as [PartitionOffset];
      } catch (error) {
        const address = ownerIn(error);
        const indexes = elsewhere.get(address);
        if (indexes === undefined) elsewhere.set(address, [i]);
        else indexes.push(i);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lookUp));
  const asked = [...elsewhere].map(async ([address, indexes]) => {
    const some = await ask(address, { ...request, partitions: indexes.map((i) => request.partitions[i]!) });
    for (const [n, i] of indexes.entries()) answers[i] = some[n]!;
  });
  await Promise.all(asked);
  return answers;
}

/** The producer: sends every flight, keyed by its origin, with its position in the input. */
import type { LogClient } from "@logstore/client";
import { departureTime, Flight, LINE, TOPIC } from "./flights.ts";
import type { Show } from "./show.ts";

/** Number of flights between two waits, if the server is to be killed while some are in flight. */
const CAREFUL_STEP = 100;

/**
 * Resolves when every flight is acknowledged. Calls `kill` at the numbers of acknowledged flights
 * in `crashes`.
 */
export async function produce(
  client: LogClient,
  flights: readonly Flight[],
  crashes: Set<number>,
  kill: () => void,
  show: Show,
): Promise<void> {
  const producer = client.producer(TOPIC, { schema: Flight });
  let acknowledged = 0;
  const send = async (flight: Flight, line: number) => {
    const headers = [{ name: LINE, value: String(line) }];
    const { partition } = await producer.send({
      key: flight.origin,
      value: flight,
      timestamp: departureTime(flight),
      headers,
    });
    acknowledged++;
    show.produced(partition);
    if (crashes.delete(acknowledged)) kill();
  };
  const sends: Promise<void>[] = [];
  for (const [line, flight] of flights.entries()) {
    const sent = send(flight, line);
    sent.catch(() => {}); // reported below
    sends.push(sent);
    if (crashes.size > 0 && line % CAREFUL_STEP === 0) await sent;
    else await producer.ready();
  }
  await Promise.all(sends);
  await producer.close();
}

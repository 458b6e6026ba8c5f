/** A fresh process that connects, produces values to a topic and consumes them again. */
import { type Contestant, load } from "../../contestants/list.ts";
import type { ClientModule } from "../../contestants/served.ts";
import { Sink, Source, type SourceOptions } from "../../contestants/values.ts";

export interface ColdRun extends SourceOptions {
  readonly contestant: Contestant;
  readonly address: string;
  readonly topic: string;
}

const { contestant, address, topic, ...options }: ColdRun = JSON.parse(process.argv[2]!);
const { connect } = await load<ClientModule>(contestant.file);
const { way, checkout } = contestant;
const connection = await connect(address, { way, checkout, durability: "written" });
await connection.createTopic(topic);
const source = new Source(options);
await connection.produce(topic, source);
const sink = new Sink(options.valueBytes);
await connection.consume(topic, sink, source.count);
sink.expect(source.count);
await connection.deleteTopic(topic);
await connection.close();
console.log("{}");
process.exit();

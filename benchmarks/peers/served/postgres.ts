/** A table of PostgreSQL as a log. */
import pg from "pg";
import type { LogConnection } from "../../src/contestants/served.ts";

const ROWS_PER_READ = 1_000;

export const settings = "INSERT of 1,000 values from an array, one statement at a time; SELECT of 1,000 rows by id";

export async function connect(address: string): Promise<LogConnection> {
  const [host, port] = address.split(":");
  const client = new pg.Client({ host: host!, port: Number(port), user: "postgres", database: "postgres" });
  await client.connect();
  const tableOf = (topic: string) => client.escapeIdentifier(topic);
  return {
    async createTopic(topic) {
      await client.query(`CREATE TABLE ${tableOf(topic)} (id bigserial PRIMARY KEY, value bytea NOT NULL)`);
    },
    async deleteTopic(topic) {
      await client.query(`DROP TABLE ${tableOf(topic)}`);
    },
    async produce(topic, source) {
      const text = `INSERT INTO ${tableOf(topic)} (value) SELECT unnest($1::bytea[])`;
      for (let batch = source.next(); batch !== undefined; batch = source.next()) {
        await client.query({ name: `insert-${topic}`, text, values: [batch.values] });
      }
    },
    async consume(topic, { use }) {
      const text = `SELECT id, value FROM ${tableOf(topic)} WHERE id > $1 ORDER BY id LIMIT ${ROWS_PER_READ}`;
      for (let last = "0"; ; ) {
        const { rows } = await client.query({ name: `select-${topic}`, text, values: [last] });
        for (const { value } of rows) use(value);
        if (rows.length < ROWS_PER_READ) return;
        last = rows.at(-1)!.id;
      }
    },
    close: () => client.end(),
  };
}

/** A table of SQLite as a log, with the module that Node brings. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EmbeddedLog, OpenLog } from "../../src/contestants/embedded.ts";

export const log: EmbeddedLog = {
  settings:
    "journal_mode WAL; a transaction per batch; written: synchronous OFF, flushed: synchronous FULL; SELECT by rowid",
  async create(directory, { durability }) {
    const database = new DatabaseSync(join(directory, "log.db"));
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability === "flushed" ? "FULL" : "OFF"}`);
    database.exec("CREATE TABLE log (id INTEGER PRIMARY KEY, value BLOB NOT NULL)");
    const insert = database.prepare("INSERT INTO log (value) VALUES (?)");
    const select = database.prepare("SELECT value FROM log ORDER BY id");
    return {
      async append(source) {
        for (let batch = source.next(); batch !== undefined; batch = source.next()) {
          database.exec("BEGIN");
          for (const value of batch.values) insert.run(value);
          database.exec("COMMIT");
        }
      },
      async read({ use }) {
        for (const { value } of select.iterate()) use(value as Uint8Array);
      },
      appendOne(value) {
        insert.run(value);
      },
      async close() {
        database.close();
      },
    } satisfies OpenLog;
  },
};

/** What is used of packages without declarations. */
declare module "async-append-only-log" {
  interface OffsetLog {
    append(values: readonly Buffer[], done: (error?: Error | null) => void): void;
    onDrain(done: () => void): void;
    stream(options: { readonly offsets: boolean }): {
      pipe(sink: { paused: boolean; write(value: Buffer): void; end(error?: Error): void }): void;
    };
    close(done: (error?: Error) => void): void;
  }
  export default function open(
    file: string,
    options: { readonly blockSize: number; readonly writeTimeout: number },
  ): OffsetLog;
}

declare module "hypercore" {
  export default class Hypercore {
    constructor(directory: string);
    ready(): Promise<void>;
    append(values: Buffer | readonly Buffer[]): Promise<unknown>;
    createReadStream(): AsyncIterable<Buffer>;
    close(): Promise<void>;
  }
}

declare module "pg" {
  class Client {
    constructor(options: { host: string; port: number; user: string; database: string });
    connect(): Promise<void>;
    escapeIdentifier(name: string): string;
    query(query: string | { name: string; text: string; values: readonly unknown[] }): Promise<{ rows: Row[] }>;
    end(): Promise<void>;
  }
  interface Row {
    readonly id: string;
    readonly value: Buffer;
  }
  const pg: { readonly Client: typeof Client };
  export default pg;
}

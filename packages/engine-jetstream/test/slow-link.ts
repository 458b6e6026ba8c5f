/** A TCP link between a broker and a NATS server that can be held up, and cut. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class SlowLink {
  readonly #server: Server;
  readonly #port: number;
  readonly #sockets = new Set<readonly [near: Socket, far: Socket]>();
  #isHeldUp = false;
  #isSilent = false;
  #lost: { readonly subject: string; readonly goesTo: "$LS" | "$LX" | "_NOBOX" } | undefined;
  #trap: { readonly text: string; readonly caught: () => void; readonly mustPass: boolean } | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((near) => this.#link(near));
  }

  static async to(address: string): Promise<SlowLink> {
    const link = new SlowLink(Number(new URL(address).port));
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    return link;
  }

  get address(): string {
    return `nats://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** Holds up what the broker sends, until {@link letGo}. It goes on to hear the server. */
  holdUp(): void {
    this.#isHeldUp = true;
    for (const [near] of this.#sockets) near.pause();
  }

  /** Holds up both directions, until {@link letGo}: neither side hears the other. */
  silence(): void {
    this.holdUp();
    this.#isSilent = true;
    for (const [, far] of this.#sockets) far.pause();
  }

  letGo(): void {
    this.#isHeldUp = false;
    this.#isSilent = false;
    for (const pair of this.#sockets) for (const socket of pair) socket.resume();
  }

  /**
   * Resolves when the broker sends something that contains a text. It is held up, with all that
   * follows, until {@link letGo}.
   */
  holdUpAt(text: string): Promise<void> {
    return new Promise((caught) => (this.#trap = { text, caught, mustPass: false }));
  }

  /**
   * Resolves when the broker sends something that contains a text. The server gets it, and what
   * follows; its answers are held up until {@link letGo}.
   */
  holdUpAnswersAt(text: string): Promise<void> {
    return new Promise((caught) => (this.#trap = { text, caught, mustPass: true }));
  }

  /**
   * The next request whose subject has this beginning goes to a subject that begins with "$LS"
   * instead of "$JS" or "$KV". Something must subscribe there: it is what is asked, and does not
   * answer.
   */
  loseRequest(subject: string): void {
    this.#lost = { subject, goesTo: "$LS" };
  }

  /**
   * The next request whose subject has this beginning goes to a subject that begins with "$LX"
   * instead. Nothing may subscribe there: the server says that nobody is there to respond.
   */
  leaveUnheard(subject: string): void {
    this.#lost = { subject, goesTo: "$LX" };
  }

  /** The answer of the next request whose subject has this beginning goes to nobody. */
  loseAnswer(subject: string): void {
    this.#lost = { subject, goesTo: "_NOBOX" };
  }

  /** Whether the request that was to be lost, or left unheard, was made. */
  get hasLostRequest(): boolean {
    return this.#lost === undefined;
  }

  /** What the server sends is lost from now on, and then the connections break. */
  async loseAnswers(ms: number): Promise<void> {
    for (const [, far] of this.#sockets) far.pause();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.cut();
  }

  /** Breaks all connections. New ones can be made. */
  cut(): void {
    for (const pair of this.#sockets) for (const socket of pair) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #link(near: Socket): void {
    const far = connect(this.#port, "127.0.0.1");
    const pair = [near, far] as const;
    this.#sockets.add(pair);
    near.on("data", (bytes) => this.#pass(bytes, near, far));
    far.on("data", (bytes) => near.write(bytes));
    for (const socket of pair) {
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    if (this.#isHeldUp) near.pause();
    if (this.#isSilent) far.pause();
  }

  #pass(given: Buffer, near: Socket, far: Socket): void {
    let bytes = given;
    const request = this.#lost === undefined ? -1 : given.indexOf(`PUB ${this.#lost.subject}`);
    if (request >= 0) {
      const at = request + "PUB ".length;
      bytes = Buffer.from(given);
      const { goesTo } = this.#lost!;
      bytes.write(goesTo, goesTo === "_NOBOX" ? bytes.indexOf("_INBOX", at) : at);
      this.#lost = undefined;
    }
    const trap = this.#trap;
    if (trap === undefined || !bytes.includes(trap.text)) {
      far.write(bytes);
      return;
    }
    this.#trap = undefined;
    if (trap.mustPass) {
      this.#isSilent = true;
      for (const [, each] of this.#sockets) each.pause();
      far.write(bytes);
    } else {
      this.holdUp();
      near.unshift(bytes);
    }
    trap.caught();
  }
}

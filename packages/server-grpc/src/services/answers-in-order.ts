interface Place<Answer> {
  /** Undefined until it is known. */
  answer: Answer | undefined;
}

/** Answers in the order of their requests, whatever the order in which they become known. */
export class AnswersInOrder<Answer extends object> {
  readonly #give: (answer: Answer) => void;
  readonly #places: Place<Answer>[] = [];
  #allGiven: (() => void)[] = [];

  /** @param give gets each answer, as soon as it and those before it are known */
  constructor(give: (answer: Answer) => void) {
    this.#give = give;
  }

  /** A request has arrived. Returns what takes its answer, once. */
  next(): (answer: Answer) => void {
    const place: Place<Answer> = { answer: undefined };
    this.#places.push(place);
    return (answer) => {
      place.answer = answer;
      if (place === this.#places[0]) this.#giveKnown();
    };
  }

  /** Resolves when every request so far has its answer. */
  async given(): Promise<void> {
    if (this.#places.length > 0) await new Promise<void>((resolve) => this.#allGiven.push(resolve));
  }

  #giveKnown(): void {
    for (let first = this.#places[0]; first?.answer !== undefined; first = this.#places[0]) {
      this.#places.shift();
      this.#give(first.answer);
    }
    if (this.#places.length === 0) for (const resolve of this.#allGiven.splice(0)) resolve();
  }
}

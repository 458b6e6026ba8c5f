/**
 * Returns an async generator whose `return` takes effect at once, even while `next` is pending. A
 * plain generator would complete `next` first.
 *
 * @param start creates the generator, which must end soon after the signal is aborted
 */
export function stoppable<T>(start: (stop: AbortSignal) => AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  const stop = new AbortController();
  const generator = start(stop.signal);
  const finish = generator.return.bind(generator);
  generator.return = (value) => {
    stop.abort();
    return finish(value);
  };
  return generator;
}

/**
 * An async generator whose `return` takes effect even while it waits for something: a plain one
 * would first wait to the end.
 *
 * @param start makes the generator, which ends soon after the signal aborts
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

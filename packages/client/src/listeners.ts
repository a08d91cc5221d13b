/** Those who want to be told of something. What one of them throws is reported like any uncaught error, and stops nobody else. */
export class Listeners<Args extends unknown[]> {
  readonly #all = new Set<(...args: Args) => void>();

  /** @returns what lets go of the listener */
  add(listener: (...args: Args) => void): () => void {
    const own = (...args: Args) => listener(...args);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  tell(...args: Args): void {
    for (const listener of [...this.#all]) {
      try {
        listener(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

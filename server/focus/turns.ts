/** Lets works of one name wait for one another. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Begins when all before it have ended, however they did. */
  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(name) ?? Promise.resolve();
    const turn = before.then(work);
    const ended: Promise<unknown> = turn
      .catch(() => undefined)
      .then(() => {
        if (this.last.get(name) === ended) this.last.delete(name);
      });
    this.last.set(name, ended);
    return turn;
  }

  /** Settled when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.last.size > 0) await Promise.all(this.last.values());
  }
}

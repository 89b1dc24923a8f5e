/**
 * Whose slides a room shows. Of phones that ask for the floor (BFCP) only the one that has it shows any. Others just begin
 * to send, and that is asking, too. Who asked last goes before those who did earlier, and takes the floor from a phone that
 * has it; when they stop, those are shown again who still send.
 */
export class Presenter {
  /** Those who send slides, or have the floor; who asked last is the last. */
  private readonly asked = new Set<string>();
  private readonly sending = new Set<string>();
  private readonly askFirst = new Set<string>();
  private floorNow: string | null = null;

  /** Who has the floor; null: nobody among those who ask for it. */
  get floor(): string | null {
    return this.floorNow;
  }

  /** Null: nobody shows slides. */
  get current(): string | null {
    let current: string | null = null;
    for (const id of this.asked) {
      if (this.sending.has(id) && (id === this.floorNow || !this.askFirst.has(id))) current = id;
    }
    return current;
  }

  /** Whether their phone asks for the floor before it shows anything. */
  asksFirst(id: string, asks: boolean): void {
    if (asks) this.askFirst.add(id);
    else this.askFirst.delete(id);
  }

  /** Null: it is taken from whoever has it. */
  giveFloor(id: string | null): void {
    this.floorNow = id;
    if (id !== null) this.putLast(id);
  }

  /** Slides come from them, or come no more. */
  told(id: string, sends: boolean): void {
    if (sends === this.sending.has(id)) return;
    if (!sends) {
      this.sending.delete(id);
      if (id !== this.floorNow) this.asked.delete(id);
      return;
    }
    this.sending.add(id);
    if (this.askFirst.has(id)) return;
    this.putLast(id);
    if (id !== this.floorNow) this.floorNow = null;
  }

  left(id: string): void {
    for (const set of [this.asked, this.sending, this.askFirst]) set.delete(id);
    if (this.floorNow === id) this.floorNow = null;
  }

  private putLast(id: string): void {
    this.asked.delete(id);
    this.asked.add(id);
  }
}

/**
 * A row of places in which nobody moves without need. Who comes takes a place that has become free, or a new one: those
 * with a picture before the cards at the end. What is left free is closed, so those behind move up.
 */
export class Seats {
  private seated: readonly string[] = [];
  private withPicture: ReadonlySet<string> = new Set();

  /**
   * `wanted`: who is to be seen, those who come anew in the order in which they are to be placed.
   * Returns them in their places.
   */
  seat(wanted: readonly string[], withPicture: ReadonlySet<string>): string[] {
    const stay = new Set(wanted);
    const seats = this.seated.map((leg) => (stay.has(leg) ? leg : null));
    for (const leg of seats) if (leg !== null) stay.delete(leg);
    const coming = wanted.filter((leg) => stay.delete(leg));
    for (let index = 0; index < seats.length; index++) seats[index] ??= coming.shift() ?? null;
    const closed = seats.filter((leg) => leg !== null);
    for (const leg of coming) insert(closed, leg, withPicture);
    for (const leg of [...closed]) {
      if (withPicture.has(leg) && !this.withPicture.has(leg) && !coming.includes(leg)) reseat(closed, leg, withPicture);
    }
    this.seated = [...closed];
    this.withPicture = new Set(withPicture);
    return closed;
  }
}

function insert(seats: string[], leg: string, withPicture: ReadonlySet<string>): void {
  let at = seats.length;
  if (withPicture.has(leg)) while (at > 0 && !withPicture.has(seats[at - 1] as string)) at--;
  seats.splice(at, 0, leg);
}

/** Their picture has come: from among the cards at the end to the end of the pictures. Elsewhere they stay. */
function reseat(seats: string[], leg: string, withPicture: ReadonlySet<string>): void {
  const from = seats.indexOf(leg);
  if (seats.slice(from + 1).some((other) => withPicture.has(other))) return;
  seats.splice(from, 1);
  insert(seats, leg, withPicture);
}

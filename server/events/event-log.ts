import type { RoomEvent } from './room-event.ts';

export interface EventLogLimits {
  events: number;
  /** Characters of JSON. */
  characters: number;
}

/** The latest events, for who comes back after a gap. The oldest go when there are too many. */
export class EventLog {
  private readonly bySerial = new Map<number, RoomEvent>();
  private readonly limits: EventLogLimits;
  private characters = 0;
  private oldest = 1;
  private newest = 0;

  constructor(limits: EventLogLimits) {
    this.limits = limits;
  }

  /** @param event with the serial number after the last one's; the first has 1. */
  add(event: RoomEvent): void {
    this.bySerial.set(event.serial, event);
    this.newest = event.serial;
    this.characters += event.text.length;
    while (this.bySerial.size > this.limits.events || this.characters > this.limits.characters) this.dropOldest();
  }

  /** What came after that one; null when some of it is forgotten, or that one is yet to come. */
  after(serial: number): RoomEvent[] | null {
    if (serial < this.oldest - 1 || serial > this.newest) return null;
    const events: RoomEvent[] = [];
    for (let next = serial + 1; next <= this.newest; next++) events.push(this.bySerial.get(next)!);
    return events;
  }

  private dropOldest(): void {
    this.characters -= this.bySerial.get(this.oldest)!.text.length;
    this.bySerial.delete(this.oldest++);
  }
}

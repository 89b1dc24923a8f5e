import type { Flow } from './flow.ts';

/** A flow that can be ended from here. */
export interface Connection extends Flow {
  /** Sends what is waiting, then closes; within a second in any case. */
  close(): void;
}

export interface ConnectionCountLimits {
  maxConnections: number;
  maxConnectionsPerAddress: number;
}

/** The connections of one transport, counted by the address of the other side. */
export class Connections<C extends Connection> {
  private readonly limits: ConnectionCountLimits;
  /** By id. */
  private readonly all = new Map<string, C>();
  private readonly countByAddress = new Map<string, number>();
  private closing: (() => void) | null = null;

  constructor(limits: ConnectionCountLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.all.size;
  }

  get(id: string): C | undefined {
    return this.all.get(id);
  }

  /** Whether one more may come from there. */
  admits(address: string): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.limits;
    // A socket that is gone already has no address.
    if (address === '' || this.closing !== null || this.all.size >= maxConnections) return false;
    return (this.countByAddress.get(address) ?? 0) < maxConnectionsPerAddress;
  }

  add(connection: C): void {
    const { remoteAddress } = connection;
    this.all.set(connection.id, connection);
    this.countByAddress.set(remoteAddress, (this.countByAddress.get(remoteAddress) ?? 0) + 1);
  }

  /** Once it is gone; false when it was known already. */
  remove(connection: C): boolean {
    if (!this.all.delete(connection.id)) return false;
    const { remoteAddress } = connection;
    const count = this.countByAddress.get(remoteAddress)! - 1;
    if (count === 0) this.countByAddress.delete(remoteAddress);
    else this.countByAddress.set(remoteAddress, count);
    if (this.all.size === 0) this.closing?.();
    return true;
  }

  /** Takes no more, and closes every one. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.closing = resolve;
      for (const connection of this.all.values()) connection.close();
      if (this.all.size === 0) resolve();
    });
  }
}

import type { Binding } from '../registrar/binding.ts';
import type { BindingStore } from '../registrar/write-behind.ts';
import type { TransportProtocol } from '../sip/transport/flow.ts';
import type { Database } from './database.ts';

interface BindingRow {
  id: number;
  user: string;
  contact: string;
  parameters: string;
  q: number | null;
  instance: string | null;
  reg_id: number | null;
  path: string;
  call_id: string;
  cseq: number;
  registered_ms: number;
  expires_ms: number;
  protocol: string;
  remote_address: string;
  remote_port: number;
  user_agent: string | null;
}

const PUT = `INSERT OR REPLACE INTO bindings (id, user, contact, parameters, q, instance, reg_id, path, call_id, cseq,
  registered_ms, expires_ms, protocol, remote_address, remote_port, user_agent)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Bindings in the database. */
export class BindingTable implements BindingStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** What has not expired by then, by rising id; the rest is removed. */
  load(epochMs: number): Binding[] {
    this.database.run('DELETE FROM bindings WHERE expires_ms <= ?', epochMs);
    return this.database.all<BindingRow>('SELECT * FROM bindings ORDER BY id').map(bindingOf);
  }

  write(changes: ReadonlyMap<number, Binding | null>): void {
    const { database } = this;
    database.transaction(() => {
      for (const [id, binding] of changes) {
        if (binding === null) database.run('DELETE FROM bindings WHERE id = ?', id);
        else this.put(binding);
      }
    });
  }

  private put(binding: Binding): void {
    const { id, user, contact, parameters, q, instance, regId, path, callId, cseq, userAgent } = binding;
    const { registeredMs, expiresMs, source } = binding;
    this.database.run(
      PUT,
      ...[id, user, contact, parameters, q, instance, regId, JSON.stringify(path), callId, cseq],
      ...[registeredMs, expiresMs, source.protocol, source.address, source.port, userAgent],
    );
  }
}

function bindingOf(row: BindingRow): Binding {
  return {
    id: row.id,
    user: row.user,
    contact: row.contact,
    parameters: row.parameters,
    q: row.q,
    instance: row.instance,
    regId: row.reg_id,
    path: JSON.parse(row.path) as string[],
    callId: row.call_id,
    cseq: row.cseq,
    registeredMs: row.registered_ms,
    expiresMs: row.expires_ms,
    // Connections of another run of the program are gone.
    source: {
      protocol: row.protocol as TransportProtocol,
      address: row.remote_address,
      port: row.remote_port,
      flowId: null,
    },
    userAgent: row.user_agent,
  };
}

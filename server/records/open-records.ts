import { Diagnoses } from '../diagnosis/diagnoses.ts';
import type { DiagnosisControl } from '../diagnosis/diagnosis-control.ts';
import { SipTraces } from '../diagnosis/sip-traces.ts';
import { userAgentIn } from '../diagnosis/trace-user-agent.ts';
import type { Log } from '../log.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Database } from '../store/database.ts';
import { RecordTable } from '../store/record-table.ts';
import type { Timers } from '../timers.ts';
import type { RecordControl } from './call-record.ts';
import { CallWatch } from './call-watch.ts';
import { RecordWriter } from './record-writer.ts';

export interface RecordSurroundings {
  readonly rooms: Rooms;
  readonly database: Database;
  readonly timers: Timers;
  readonly log: Log;
  readonly days: number;
  readonly isTrusted: (address: string) => boolean;
  /** The address of ours that a peer sees. */
  readonly ownAddress: (peer: string) => string;
}

export interface RecordParts {
  /** To be told of all calls. */
  readonly watch: CallWatch;
  /** To be told of all SIP messages. */
  readonly traces: SipTraces;
  readonly records: RecordControl;
  readonly diagnosis: DiagnosisControl;
  /** Writes what waits. */
  close(): void;
}

/** Call records, and what is kept of calls to find out what is wrong with them. */
export function openRecords(surroundings: RecordSurroundings): RecordParts {
  const { rooms, database, timers, log, days, isTrusted, ownAddress } = surroundings;
  const epochMs = Date.now;
  const table = new RecordTable(database);
  const writer = new RecordWriter({ store: table, timers, log, epochMs, days });
  const traces = new SipTraces({ epochMs });
  const watch = new CallWatch({
    ...{ epochMs, isTrusted, traces },
    record: (record) => writer.add(record),
    userAgentOf: (callId) => userAgentIn(traces.find(callId)),
  });
  rooms.subscribe(watch.changed);
  return {
    ...{ watch, traces },
    diagnosis: new Diagnoses({ watch, traces, epochMs, ownAddress }),
    // Who asks wants to see the call that ended just now, too.
    records: {
      calls: (query) => {
        writer.flush();
        return table.calls(query);
      },
      conferences: (query) => {
        writer.flush();
        return table.conferences(query);
      },
    },
    close: () => writer.close(),
  };
}

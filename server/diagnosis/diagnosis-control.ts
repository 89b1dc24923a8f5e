import type { DiagnosisView, TraceView } from './diagnosis-view.ts';

/** What can be asked about single calls, also about those that ended a while ago; null: there is no such call. */
export interface DiagnosisControl {
  diagnosis(room: string, participant: string): Promise<DiagnosisView | null>;
  trace(room: string, participant: string): TraceView | null;
  /** The same as a capture file. */
  pcap(room: string, participant: string): Buffer | null;
}

import { emptyReportBlock, writeReceiverReport } from '../../mixer/rtp/rtcp-packet.ts';
import type { SimulatedPhone } from './simulated-room.ts';

/** A receiver report that says how much of what the phone was sent got lost, 0 to 1. */
export function reportLoss(phone: SimulatedPhone, lossShare: number): void {
  const block = { ...emptyReportBlock(), ssrc: phone.sent.at(-1)!.ssrc, fractionLost: Math.round(lossShare * 256) };
  const bytes = new Uint8Array(32);
  writeReceiverReport(bytes, 0, phone.ssrc, block);
  phone.leg.receivedRtcp(bytes, bytes.length, phone.address, phone.port + 1, phone.nowMs);
}

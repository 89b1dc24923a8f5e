import { z } from 'zod';
import { diagnosis, trace } from './diagnosis-schemas.ts';
import { type Operation, operation } from './operation.ts';
import { participantParams } from './participant-operations.ts';
import { HttpProblem } from './problems.ts';

const PCAP = 'application/vnd.tcpdump.pcap';

function notFound({ room, participant }: z.output<typeof participantParams>): HttpProblem {
  return new HttpProblem('participant-not-found', { detail: `no call of ${participant} in ${room} is known` });
}

/** They answer for a while after the call's end, too, even where the room is gone. */
export const diagnosisOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/rooms/{room}/participants/{participant}/diagnosis',
    id: 'getDiagnosis',
    scope: 'reader',
    summary: 'Why somebody cannot be heard, or does not hear',
    params: participantParams,
    success: { status: 200, description: 'The diagnosis.', json: diagnosis },
    problems: ['participant-not-found'],
    async handle({ diagnosis: control }, { params }) {
      const found = await control.diagnosis(params.room, params.participant);
      if (found === null) throw notFound(params);
      return { json: found };
    },
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}/participants/{participant}/trace',
    id: 'getTrace',
    scope: 'moderator',
    summary: "The SIP messages of somebody's call, without secrets",
    params: participantParams,
    query: z.strictObject({
      format: z.enum(['json', 'pcap']).optional().meta({ description: 'Instead of `Accept`.' }),
    }),
    success: { status: 200, description: 'The messages in the order of time.', json: trace, texts: [PCAP] },
    problems: ['participant-not-found'],
    handle({ diagnosis: control }, { params, query, prefers }) {
      const pcap = (query.format ?? (prefers(['application/json', PCAP]) === PCAP ? 'pcap' : 'json')) === 'pcap';
      if (!pcap) {
        const found = control.trace(params.room, params.participant);
        if (found === null) throw notFound(params);
        return { json: found };
      }
      const bytes = control.pcap(params.room, params.participant);
      if (bytes === null) throw notFound(params);
      // Ids are hexadecimal.
      return { content: { contentType: PCAP, fileName: `${params.participant}.pcap`, bytes } };
    },
  }),
];

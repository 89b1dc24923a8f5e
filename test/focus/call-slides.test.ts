import { describe, expect, it } from 'vitest';
import type { FloorControl } from '../../server/bfcp/floor-control.ts';
import { CallSlides } from '../../server/focus/call-slides.ts';
import type { FloorControlServer } from '../../server/sdp/floor-control.ts';
import type { MediaSession } from '../../server/sdp/media-session.ts';

/** A floor control server that only remembers, and a session that is told. */
function callWith(server: 'on' | 'off' | 'full' = 'on') {
  const asked: string[] = [];
  const told: (FloorControlServer | null)[] = [];
  const control = {
    register: (participant: string) => {
      asked.push(`register ${participant}`);
      return server === 'full' ? null : { conferenceId: 40, userId: 8, floorId: 1 };
    },
    agreed: (participant: string, media: unknown) => void asked.push(`agreed ${participant} ${media}`),
    remove: (participant: string) => void asked.push(`remove ${participant}`),
  } as unknown as FloorControl;
  const session = {
    bindFloorControl: (to: FloorControlServer | null) => void told.push(to),
  } as unknown as MediaSession;
  const call = new CallSlides('ann', server === 'off' ? null : { control, port: 5070 }, {
    signalling: () => '192.0.2.1',
    described: () => '10.0.0.1',
  });
  return { call, session, asked, told };
}

describe('floor control of a call', () => {
  it('is told in SDP where video is wanted, and no more once the call is over', () => {
    const { call, session, told, asked } = callWith();
    call.bind(session, true);
    call.bind(session, false);
    call.agreed(null);
    call.close();
    call.bind(session, true);
    expect(told).toEqual([{ tcpPort: 5070, udpPort: 5070, conferenceId: 40, userId: 8, floorId: 1 }, null, null]);
    expect(asked).toEqual(['register ann', 'agreed ann null', 'remove ann']);
  });

  it('is none where nobody serves it, or there are no ids any more', () => {
    const { call, session, told } = callWith('off');
    call.bind(session, true);
    call.agreed(null);
    call.close();
    expect(told).toEqual([]);
    const full = callWith('full');
    full.call.bind(full.session, true);
    expect(full.told).toEqual([null]);
  });

  it('comes from where the call is: seen there, or said so', () => {
    const { call } = callWith();
    const at = (address: string) => [call.isAt(address), call.isSeenAt(address)];
    expect(['192.0.2.1', '10.0.0.1', '198.51.100.7'].map(at)).toEqual([
      [true, true],
      [true, false],
      [false, false],
    ]);
    call.mediaComesFrom('::ffff:198.51.100.7');
    expect(at('198.51.100.7')).toEqual([true, true]);
  });
});

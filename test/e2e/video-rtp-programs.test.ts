import type { Socket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RtcpSession } from '../../mixer/rtp/rtcp-session.ts';
import { RtpPacket } from '../../mixer/rtp/rtp-packet.ts';
import { nextNalUnit } from '../../mixer/video/rtp/h264-nal.ts';
import { packetizeH264 } from '../../mixer/video/rtp/h264-packetizer.ts';
import { MAX_VIDEO_PAYLOAD, PayloadList } from '../../mixer/video/rtp/payload-list.ts';
import { SentFrames } from '../../mixer/video/rtp/sent-frames.ts';
import { type AccessUnit, VideoReceiver } from '../../mixer/video/rtp/video-receiver.ts';
import { ViewerPackets } from '../../mixer/video/rtp/viewer-packets.ts';
import { packetizeVp8 } from '../../mixer/video/rtp/vp8-packetizer.ts';
import type { VideoCodecName } from '../../mixer/video-protocol.ts';
import { videoFormat } from '../video/rtp/packets.ts';
import { ChildProgram } from './clients/child-program.ts';
import { bindUdp, freePort, LOOPBACK, udpIsBound } from './clients/free-ports.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';

/** Packets of other programs make the same octets that their files have, and other programs read our packets. */

const FRAMES = 50;
const FRAME_MS = 40;
const FILES_TIMEOUT_MS = 60_000;

const TYPE_OF: Record<VideoCodecName, number> = { H264: 96, VP8: 97 };

let folder: string;
const file = (name: string): string => join(folder, name);

async function run(program: string, ...args: string[]): Promise<string> {
  const child = new ChildProgram(program, args);
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${child.output}`);
  return child.output;
}

const ffmpeg = (...args: string[]): Promise<string> => run('ffmpeg', '-v', 'error', '-nostdin', '-y', ...args);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-video-'));
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25', '-frames:v', `${FRAMES}`];
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '20', '-threads', '1'];
  const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '1M', '-g', '20'];
  await ffmpeg(...picture, ...x264, file('frames.h264'));
  await ffmpeg(...picture, ...x264, '-x264-params', 'slice-max-size=1000', file('slices.h264'));
  await ffmpeg(...picture, ...vp8, file('frames.ivf'));
  await ffmpeg('-framerate', '25', '-i', file('frames.h264'), '-c', 'copy', file('h264.mkv'));
  await ffmpeg('-i', file('frames.ivf'), '-c', 'copy', file('vp8.mkv'));
}, FILES_TIMEOUT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** NAL units, each in hexadecimal. */
function nalsOf(stream: Uint8Array): string[] {
  const nals: string[] = [];
  const bounds = { start: 0, end: 0 };
  for (let at = 0; nextNalUnit(stream, at, bounds); at = bounds.end) {
    nals.push(Buffer.from(stream.subarray(bounds.start, bounds.end)).toString('hex'));
  }
  return nals;
}

const isSlice = (nal: string): boolean => ['01', '05'].includes(`0${Number.parseInt(nal.slice(0, 2), 16) & 31}`);
/** `first_mb_in_slice` is 0. */
const isFirstSlice = (nal: string): boolean => isSlice(nal) && Number.parseInt(nal.slice(2, 4), 16) >= 0x80;

/** Access units of a file: each ends before what follows its slices and is no further slice of it. */
function unitsOfH264(name: string): Uint8Array[] {
  const units: string[][] = [[]];
  for (const nal of nalsOf(readFileSync(file(name)))) {
    const begins = isFirstSlice(nal) || !isSlice(nal);
    if (begins && units.at(-1)!.some(isSlice)) units.push([]);
    units.at(-1)!.push(nal);
  }
  return units.map((nals) => Buffer.from(nals.map((nal) => `00000001${nal}`).join(''), 'hex'));
}

/** Frames of an IVF file: 32 octets of header, then each with its length and a time in twelve octets. */
function framesOfVp8(): Uint8Array[] {
  const bytes = readFileSync(file('frames.ivf'));
  const frames: Uint8Array[] = [];
  for (let at = 32; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    frames.push(bytes.subarray(at + 12, at + 12 + length));
    at += 12 + length;
  }
  return frames;
}

/** What a program sends to a port of ours, put together. */
class Receiving {
  readonly units: AccessUnit[] = [];
  readonly receiver = new VideoReceiver();
  private readonly socket: Socket;
  private readonly packet = new RtpPacket();

  static async open(codec: VideoCodecName, parameterSets: string | null): Promise<{ at: Receiving; port: number }> {
    const port = await freePort();
    const socket = await bindUdp(port);
    if (socket === null) throw new Error(`port ${port} is taken`);
    return { at: new Receiving(socket, codec, parameterSets), port };
  }

  private constructor(socket: Socket, codec: VideoCodecName, parameterSets: string | null) {
    this.socket = socket;
    socket.setRecvBufferSize(1 << 20);
    const format = { ...videoFormat(codec, false), payloadType: TYPE_OF[codec] };
    this.receiver.configure([parameterSets === null ? format : { ...format, parameterSets }]);
    socket.on('message', (data) => this.received(data));
  }

  /** All that was expected, or as much as came. */
  async all(): Promise<AccessUnit[]> {
    await eventually(
      'all frames',
      () => this.units.length,
      (units) => units >= FRAMES,
    );
    this.socket.close();
    return this.units;
  }

  private received(data: Uint8Array): void {
    if (!this.packet.parse(data, data.length)) return;
    const { payloadOffset, payloadLength } = this.packet;
    const nowMs = performance.now();
    this.receiver.put(this.packet, data.subarray(payloadOffset, payloadOffset + payloadLength), nowMs);
    for (let unit = this.receiver.next(nowMs); unit; unit = this.receiver.next(nowMs)) this.units.push(unit);
  }
}

function expectWhole(units: AccessUnit[], { counters, droppedUnits }: VideoReceiver): void {
  expect(units.every(({ intact, afterLoss }) => intact && !afterLoss)).toBe(true);
  expect({ ...counters, received: 0 }).toEqual({
    ...{ received: 0, duplicates: 0, late: 0, lost: 0, malformed: 0, resets: 0 },
  });
  expect(droppedUnits).toBe(0);
  const ticks = units.map(
    ({ rtpTimestamp }, index) => (rtpTimestamp - (units[index - 1] ?? units[0]!).rtpTimestamp) >>> 0,
  );
  expect(new Set(ticks.slice(1))).toEqual(new Set([3600]));
}

const hexOf = (units: readonly { data: Uint8Array }[]): string[] =>
  units.map(({ data }) => Buffer.from(data).toString('hex'));

describe.runIf(peersPresent('ffmpeg'))('packets of ffmpeg', () => {
  it.each([
    ['frames.h264', []],
    ['slices.h264', ['-rtpflags', 'h264_mode0']],
    ['frames.h264', ['-pkt_size', '300']],
  ])('of %s with %o are the same NAL units as in its file', async (name, options) => {
    const { at, port } = await Receiving.open('H264', null);
    const input = ['-re', '-framerate', '25', '-i', file(name), '-c', 'copy', '-f', 'rtp', ...options];
    const [units] = await Promise.all([at.all(), ffmpeg(...input, '-payload_type', '96', `rtp://${LOOPBACK}:${port}`)]);
    expect(units.flatMap(({ data }) => nalsOf(data))).toEqual(nalsOf(readFileSync(file(name))));
    expect(hexOf(units)).toEqual(hexOf(unitsOfH264(name).map((data) => ({ data }))));
    expectWhole(units, at.receiver);
  });

  it('without parameter sets in the stream get those of its SDP', async () => {
    const rtp = (port: number): string[] => {
      const out = ['-f', 'rtp', '-payload_type', '96', '-sdp_file', file('sprop.sdp'), `rtp://${LOOPBACK}:${port}`];
      return ['-re', '-i', file('h264.mkv'), '-c', 'copy', '-bsf:v', 'filter_units=remove_types=6-8', ...out];
    };
    const probe = await freePort();
    await ffmpeg(...rtp(probe));
    const sdp = readFileSync(file('sprop.sdp'), 'utf8');
    const sets = /sprop-parameter-sets=([^;\s]+)/.exec(sdp)![1]!;
    const { at, port } = await Receiving.open('H264', sets);
    const [units] = await Promise.all([at.all(), ffmpeg(...rtp(port))]);
    const nals = units.flatMap(({ data }) => nalsOf(data));
    const inFile = nalsOf(readFileSync(file('frames.h264')));
    expect(nals.filter(isSlice)).toEqual(inFile.filter(isSlice));
    expect(nals[0]).toBe(inFile.find((nal) => nal.startsWith('67')));
    expectWhole(units, at.receiver);
  });

  it('of VP8 are the frames of its file', async () => {
    const { at, port } = await Receiving.open('VP8', null);
    const args = ['-re', '-i', file('frames.ivf'), '-c', 'copy', '-f', 'rtp', '-payload_type', '97'];
    const [units] = await Promise.all([at.all(), ffmpeg(...args, `rtp://${LOOPBACK}:${port}`)]);
    expect(hexOf(units)).toEqual(hexOf(framesOfVp8().map((data) => ({ data }))));
    expectWhole(units, at.receiver);
  });
});

describe.runIf(peersPresent('ffmpeg', 'gst-launch-1.0'))('packets of GStreamer', () => {
  const sink = (port: number): string[] => ['!', 'udpsink', `host=${LOOPBACK}`, `port=${port}`];
  const source = (name: string): string[] => ['-q', 'filesrc', `location=${file(name)}`, '!', 'matroskademux', '!'];

  it.each(['none', 'zero-latency', 'max-stap'])(
    'of H.264 with aggregation %s have the NAL units of the file',
    async (mode) => {
      const { at, port } = await Receiving.open('H264', null);
      const pay = ['rtph264pay', 'config-interval=-1', `aggregate-mode=${mode}`, 'mtu=1200', 'pt=96'];
      const [units] = await Promise.all([
        at.all(),
        run('gst-launch-1.0', ...source('h264.mkv'), ...pay, ...sink(port)),
      ]);
      const slices = (nals: string[]): string[] => nals.filter(isSlice);
      expect(slices(units.flatMap(({ data }) => nalsOf(data)))).toEqual(
        slices(nalsOf(readFileSync(file('frames.h264')))),
      );
      expect(units.filter(({ keyFrame }) => keyFrame)).toHaveLength(3);
      expect(at.receiver.counters).toMatchObject({ lost: 0, malformed: 0 });
    },
  );

  it.each(['none', '7-bit', '15-bit'])('of VP8 with PictureID %s are the frames of the file', async (mode) => {
    const { at, port } = await Receiving.open('VP8', null);
    const pay = ['rtpvp8pay', `picture-id-mode=${mode}`, 'mtu=1200', 'pt=97'];
    const [units] = await Promise.all([at.all(), run('gst-launch-1.0', ...source('vp8.mkv'), ...pay, ...sink(port))]);
    expect(hexOf(units)).toEqual(hexOf(framesOfVp8().map((data) => ({ data }))));
    expect(at.receiver.counters).toMatchObject({ lost: 0, malformed: 0 });
  });
});

/** Sends frames as a video mixer does, quicker than they would be shown. Call what is returned for a BYE. */
async function sendTo(
  port: number,
  codec: VideoCodecName,
  units: readonly Uint8Array[],
  mode: 0 | 1,
): Promise<() => void> {
  const socket = await bindUdp(await freePort());
  const session = new RtcpSession({
    ...{ ssrc: 5, cname: 'test', clockRateHz: 90_000, wallClockOffsetMs: 0, startMs: 0, random: Math.random },
  });
  const sent = new SentFrames();
  const viewer = new ViewerPackets({ ssrc: 5, rtxSsrc: 6, random: Math.random });
  viewer.configure({ ...videoFormat(codec, false), payloadType: TYPE_OF[codec] });
  const list = new PayloadList();
  const out = new Uint8Array(1500);
  const send = (length: number, to: number): void => socket!.send(out.slice(0, length), to, LOOPBACK);
  for (const [index, unit] of units.entries()) {
    const made =
      codec === 'VP8'
        ? packetizeVp8(unit, mode === 0 ? null : index, MAX_VIDEO_PAYLOAD, list)
        : packetizeH264(unit, mode, MAX_VIDEO_PAYLOAD, list);
    if (!made) throw new Error(`frame ${index} was not packetised`);
    const first = sent.add(list, index * FRAME_MS, index === 0);
    if (index === 0) viewer.watch(sent, first);
    while (viewer.nextLength > 0) send(viewer.writeNext(out), port);
    await pause(FRAME_MS / 2);
  }
  return () => {
    const length = session.writeBye(out, units.length * FRAME_MS);
    socket!.send(out.slice(0, length), port + 1, LOOPBACK, () => socket!.close());
  };
}

/** Checksums of all pictures. */
const pictures = (framemd5: string): string[] =>
  [...framemd5.matchAll(/^0,.*, *([0-9a-f]{32})$/gm)].map(([, sum]) => sum!);

describe.runIf(peersPresent('ffmpeg'))('our packets', () => {
  it.each<[string, VideoCodecName, 0 | 1]>([
    ['frames.h264', 'H264', 1],
    ['slices.h264', 'H264', 0],
    ['slices.h264', 'H264', 1],
    ['frames.ivf', 'VP8', 1],
    ['frames.ivf', 'VP8', 0],
  ])('of %s as %s, mode %i, are read by ffmpeg without a word, to the same pictures', async (name, codec, mode) => {
    const port = await freePort();
    const type = TYPE_OF[codec];
    const sdp = ['v=0', `o=- 1 1 IN IP4 ${LOOPBACK}`, 's=-', `c=IN IP4 ${LOOPBACK}`, 't=0 0'];
    sdp.push(`m=video ${port} RTP/AVP ${type}`, `a=rtpmap:${type} ${codec}/90000`);
    if (codec === 'H264') sdp.push(`a=fmtp:${type} packetization-mode=${mode}`);
    writeFileSync(file('ours.sdp'), `${sdp.join('\r\n')}\r\n`);
    const input = [
      '-v',
      'warning',
      '-nostdin',
      '-threads',
      '1',
      '-protocol_whitelist',
      'file,udp,rtp',
      '-i',
      file('ours.sdp'),
    ];
    const output = ['-fps_mode', 'passthrough', '-flush_packets', '1', '-f', 'framemd5', '-'];
    let read = '';
    const reader = new ChildProgram('ffmpeg', [...input, ...output], {
      onData: (chunk) => {
        read += chunk.toString();
      },
    });
    await eventually(
      'ffmpeg listens',
      () => udpIsBound(port),
      (isBound) => isBound,
    );
    const bye = await sendTo(port, codec, codec === 'VP8' ? framesOfVp8() : unitsOfH264(name), mode);
    // It keeps the last ones until it knows that nothing follows.
    await eventually(
      'the pictures',
      () => pictures(read).length,
      (count) => count >= FRAMES - 3,
    );
    bye();
    expect(await reader.exited).toMatchObject({ code: 0 });
    const expected = await run(
      'ffmpeg',
      '-v',
      'error',
      '-i',
      file(name),
      '-vsync',
      'passthrough',
      '-f',
      'framemd5',
      '-',
    );
    expect(pictures(read)).toHaveLength(FRAMES);
    expect(pictures(read)).toEqual(pictures(expected));
    expect(reader.output).toBe('');
  });
});

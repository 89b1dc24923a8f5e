import type { Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MediaPorts } from '../../../mixer/protocol.ts';
import { X264_PRESETS } from '../../../mixer/video/engine/encoder-context.ts';
import { type Engine, loadEngine } from '../../../mixer/video/engine/engine.ts';
import { ENCODER_SPEEDS } from '../../../mixer/video/engine/video-encoder.ts';
import { arrange, type Tile } from '../../../mixer/video/layout/arrange.ts';
import type { VideoMedia } from '../../../mixer/video-protocol.ts';
import { measureParley } from '../load-run.ts';
import { processCpuMs } from '../process-cpu.ts';
import { chosenScenarios } from '../scenarios.ts';
import { BITRATE_BPS, FIRST_PORT, LAST_PORT, media } from './bench-media.ts';
import { ffmpegCpuMsPerFrame } from './ffmpeg-command.ts';
import { measureOwnPictures, type OwnPictureFigures } from './own-pictures.ts';
import { boundSocket, DelayMeter, VideoSender } from './video-load.ts';
import { gridScene, VideoProcess } from './video-process.ts';
import { makeCodedSource, makeSources, type Source } from './video-sources.ts';

export interface VideoScale {
  senders: readonly number[];
  viewers: readonly number[];
  settleSeconds: number;
  measureSeconds: number;
  /** Of the audio conference, each time. */
  soundSeconds: number;
}

export interface VideoFigures {
  senders: number;
  viewers: number;
  /** User and system time of the video mixer for each frame that was composed and sent. */
  cpuMsPerFrame: number;
  /** The same of the `ffmpeg` command, decoding, composing and encoding the same at the same time. */
  ffmpegMsPerFrame: number;
  framesPerSecond: number;
  framesSkipped: number;
  /** From the last packet of a sender's frame to the last of the composition with it. */
  delayMs: { median: number; p99: number };
}

export interface VideoResult {
  figures: VideoFigures[];
  ffmpeg: FfmpegFigures[];
  /** Of an audio conference, alone and beside a video mixer that has more to do than it can: so many rooms, and cores. */
  sound: { alone: SoundFigures; beside: SoundFigures; rooms: number; videoCores: number };
  own: OwnPictureFigures;
}

/** CPU of the `ffmpeg` command for each frame when it does the same alone, as fast as it goes. */
export interface FfmpegFigures {
  senders: number;
  unpacedMs: number;
  /** Of x264: what the video mixer used. */
  preset: string;
}

export interface SoundFigures {
  /** Added delay, milliseconds; NaN where it could not be measured. */
  median: number;
  p99: number;
  tickP999: number;
}

const CANVAS = { width: 1280, height: 720 };
const SOUND_SCENARIO = 'pcmu-20-3';
/** Senders' pictures that a core decodes, puts together and encodes, 25 times a second; rather too many. */
const MOST_FRAMES_A_CORE = 48;

export async function measureVideo(scale: VideoScale): Promise<VideoResult> {
  const engine = await loadEngine();
  if (engine === null) throw new Error('node-av is not installed');
  const directory = mkdtempSync(join(tmpdir(), 'parley-video-'));
  try {
    const most = Math.max(...scale.senders);
    const sources = [
      makeCodedSource(directory, scale.measureSeconds),
      ...makeSources(directory, most - 1, scale.measureSeconds),
    ];
    const figures: VideoFigures[] = [];
    const ffmpeg: VideoResult['ffmpeg'] = [];
    for (const senders of scale.senders) {
      const used = sources.slice(0, senders);
      let preset = '';
      for (const viewers of scale.viewers) {
        const measured = await measure(engine, used, viewers, scale);
        figures.push(measured.figures);
        preset = measured.preset;
      }
      ffmpeg.push({ senders, preset, unpacedMs: await ffmpegCpu(used, preset, false) });
    }
    const own = await measureOwnPictures(sources.slice(0, Math.min(...scale.senders)), scale);
    const alone = await soundFigures(scale);
    return { figures, ffmpeg, own, sound: { alone, ...(await soundBesideVideo(engine, sources, scale)) } };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** As many rooms of video as the machine can make pictures of, and more. */
async function soundBesideVideo(
  engine: Engine,
  sources: readonly Source[],
  scale: VideoScale,
): Promise<Omit<VideoResult['sound'], 'alone'>> {
  const rooms = Math.ceil((MOST_FRAMES_A_CORE * availableParallelism()) / sources.length);
  const load = await VideoLoad.start(engine, sources, 1, rooms);
  load.meter.resting = true;
  try {
    const { mixer } = load;
    await pause(scale.settleSeconds * 1000);
    const before = { cpuMs: processCpuMs(mixer.pid), atMs: performance.now() };
    const beside = await soundFigures(scale);
    const videoCores = (processCpuMs(mixer.pid) - before.cpuMs) / (performance.now() - before.atMs);
    return { beside, rooms, videoCores };
  } finally {
    load.stop();
  }
}

/** The `ffmpeg` command runs at the same time, so that what else the machine has to do slows both. */
async function measure(
  engine: Engine,
  sources: readonly Source[],
  viewers: number,
  { settleSeconds, measureSeconds }: VideoScale,
): Promise<{ figures: VideoFigures; preset: string }> {
  const load = await VideoLoad.start(engine, sources, viewers);
  try {
    const { mixer, meter } = load;
    await pause(settleSeconds * 1000);
    const before = await mixer.request('statistics', {});
    const cpuBefore = processCpuMs(mixer.pid);
    const preset = X264_PRESETS[ENCODER_SPEEDS[before.effort]!];
    const startedMs = performance.now();
    meter.measure(true);
    const [ffmpegMsPerFrame] = await Promise.all([ffmpegCpu(sources, preset, true), pause(measureSeconds * 1000)]);
    const cpuMs = processCpuMs(mixer.pid) - cpuBefore;
    const after = await mixer.request('statistics', {});
    if (after.effort !== before.effort) throw new Error('the mixer has taken other pains while it was measured');
    const frames = after.encodes - before.encodes;
    const figures = {
      ...{ senders: sources.length, viewers, cpuMsPerFrame: cpuMs / frames, ffmpegMsPerFrame },
      framesPerSecond: (frames * 1000) / (performance.now() - startedMs),
      framesSkipped: after.framesSkipped - before.framesSkipped,
      delayMs: percentiles(meter.delaysMs),
    };
    return { figures, preset };
  } finally {
    load.stop();
  }
}

/** A video mixer with senders and viewers. */
class VideoLoad {
  readonly mixer: VideoProcess;
  readonly meter: DelayMeter;
  private readonly senders: readonly VideoSender[];
  private readonly sink: Socket;

  static async start(engine: Engine, sources: readonly Source[], viewers: number, rooms = 1): Promise<VideoLoad> {
    const mixer = await VideoProcess.start(FIRST_PORT, LAST_PORT);
    const all = Array.from({ length: rooms }, () => sources).flat();
    const senders = await Promise.all(all.map((source) => VideoSender.open(source)));
    const meter = await DelayMeter.open(engine, senders[0]!);
    // One place for all others: what it costs to send to them is the same.
    const sink = await boundSocket();
    const load = new VideoLoad(mixer, meter, senders, sink.socket);
    for (let room = 0; room < rooms; room++) {
      const ports = Array.from({ length: viewers }, (_, index) => (room + index === 0 ? meter.port : sink.port));
      await load.openRoom(`bench${room}`, senders.slice(room * sources.length, (room + 1) * sources.length), ports);
    }
    return load;
  }

  private constructor(mixer: VideoProcess, meter: DelayMeter, senders: readonly VideoSender[], sink: Socket) {
    this.mixer = mixer;
    this.meter = meter;
    this.senders = senders;
    this.sink = sink;
  }

  stop(): void {
    for (const sender of this.senders) sender.close();
    this.meter.close();
    this.sink.close();
    this.mixer.stop();
  }

  private async openRoom(room: string, senders: readonly VideoSender[], viewerPorts: readonly number[]): Promise<void> {
    const sending = senders.map((_, index) => `${room}-s${index}`);
    const viewing = viewerPorts.map((_, index) => `${room}-v${index}`);
    await this.mixer.request('openRoom', { room, scene: gridScene(sending, viewing) });
    for (const [index, leg] of sending.entries()) {
      const sender = senders[index]!;
      const { rtpPort } = await this.open(room, leg, media('recvonly', sender.port));
      sender.start(rtpPort, index / senders.length);
    }
    for (const [index, leg] of viewing.entries()) {
      await this.open(room, leg, media('sendonly', viewerPorts[index]!));
    }
  }

  private open(room: string, leg: string, described: VideoMedia): Promise<MediaPorts> {
    return this.mixer.request('openStream', { room, leg, stream: 'main', cname: leg, media: described });
  }
}

async function soundFigures({ settleSeconds, soundSeconds }: VideoScale): Promise<SoundFigures> {
  const [scenario] = chosenScenarios([SOUND_SCENARIO], false);
  const figures = await measureParley(scenario!, { settleSeconds, measureSeconds: soundSeconds });
  if (!('load' in figures)) throw new Error(figures.failure);
  const delay = figures.load.addedDelayMs;
  return { median: delay?.median ?? Number.NaN, p99: delay?.p99 ?? Number.NaN, tickP999: figures.ticks.p999 };
}

function percentiles(values: readonly number[]): VideoFigures['delayMs'] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99) };
}

/** The tiles that the video mixer has for so many. */
function tilesOf(senders: number): Tile[] {
  const places = Array.from({ length: senders }, (_, index) => `s${index}`);
  return arrange({ layout: 'grid', canvas: CANVAS, large: [], places, slides: null });
}

function ffmpegCpu(sources: readonly Source[], preset: string, paced: boolean): Promise<number> {
  const files = sources.map(({ path }) => path);
  const rects = tilesOf(files.length);
  return ffmpegCpuMsPerFrame({ files, rects, canvas: CANVAS, bitrateBps: BITRATE_BPS, preset, paced });
}

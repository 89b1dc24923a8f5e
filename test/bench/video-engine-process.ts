import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Canvas } from '../../mixer/video/engine/canvas.ts';
import { loadEngine } from '../../mixer/video/engine/engine.ts';
import type { Rect } from '../../mixer/video/engine/planar-picture.ts';
import type { EngineCpu, EngineTask } from './video-engine.ts';

/** A process that decodes, composes and encodes as fast as it can, and says what that took. `fork`ed by video-engine.ts. */

const BLACK = { y: 16, u: 128, v: 128 };
const AUD = 9;

process.once('message', (task: EngineTask) => {
  void work(task).then((cpu) => process.send!(cpu, () => process.exit(0)));
});

async function work({ files, rects, frames, encoder: options }: EngineTask): Promise<EngineCpu> {
  const engine = await loadEngine();
  if (engine === null) throw new Error('node-av is not installed');
  const units = files.map((file) => accessUnits(readFileSync(file)));
  const decoders = files.map(() => engine.openDecoder({ codec: 'H264' }));
  const canvas = engine.canvas(options.width, options.height);
  const scaler = engine.pictureScaler();
  const encoder = await engine.openEncoder(options);
  const spent: EngineCpu = { frames, decodeMs: 0, composeMs: 0, encodeMs: 0, wallMs: 0, octets: 0 };
  const begin = performance.now();
  for (let frame = 0; frame < frames; frame++) {
    const start = cpuMs();
    const pictures = [];
    for (const [index, decoder] of decoders.entries()) {
      pictures.push(await decoder.decode(units[index]![frame % units[index]!.length]!, true, frame));
    }
    const decoded = cpuMs();
    for (const [index, [picture]] of pictures.entries()) {
      if (picture === undefined) throw new Error(`no picture of ${files[index]} at frame ${frame}`);
      scaler.draw(picture, canvas as Canvas, rects[index] as Rect, 'crop', BLACK);
      picture.release();
    }
    const composed = cpuMs();
    const encoded = await encoder.encode(canvas, frame, false);
    spent.octets += encoded?.data.length ?? 0;
    spent.decodeMs += decoded - start;
    spent.composeMs += composed - decoded;
    spent.encodeMs += cpuMs() - composed;
  }
  spent.wallMs = performance.now() - begin;
  return spent;
}

/** Of all threads. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Each begins with an access unit delimiter. */
function accessUnits(stream: Buffer): Uint8Array[] {
  const starts: number[] = [];
  for (let at = stream.indexOf('000001', 0, 'hex'); at >= 0; at = stream.indexOf('000001', at + 3, 'hex')) {
    if ((stream[at + 3]! & 31) === AUD) starts.push(at);
  }
  return starts.map((start, index) => stream.subarray(start, starts[index + 1]));
}

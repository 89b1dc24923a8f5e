import { availableParallelism } from 'node:os';
import { ENCODER_SPEEDS, type EncoderSpeed } from './engine/video-encoder.ts';

/** Busier than this share of all cores: encode quicker and worse. Below the other: better again. */
const BUSY = 0.6;
const IDLE = 0.3;
/** So many measurements, one a second, before it gets better again. */
const CALM_SECONDS = 10;

/** How quickly pictures are encoded, by the load of the process. */
export class SpeedByLoad {
  private index = ENCODER_SPEEDS.indexOf('fast');
  private readonly cores: number;
  private calm = 0;

  /** @param cores that the machine has. */
  constructor(cores: number = availableParallelism()) {
    this.cores = cores;
  }

  get speed(): EncoderSpeed {
    return ENCODER_SPEEDS[this.index]!;
  }

  /** Its place in `ENCODER_SPEEDS`. */
  get effort(): number {
    return this.index;
  }

  /** Once a second. @param load cores that are kept busy. */
  measured(load: number): void {
    const share = load / this.cores;
    this.calm = share < IDLE ? this.calm + 1 : 0;
    if (share > BUSY) this.index = Math.max(0, this.index - 1);
    else if (this.calm >= CALM_SECONDS && this.index < ENCODER_SPEEDS.length - 1) {
      this.index++;
      this.calm = 0;
    }
  }
}

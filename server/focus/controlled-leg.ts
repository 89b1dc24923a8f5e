import type { LegControl } from '../../mixer/protocol.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Decision, ParticipantControls } from './participant-controls.ts';

export interface ControlledLegOptions {
  readonly leg: string;
  readonly controls: ParticipantControls;
  readonly mixers: Pick<Mixers, 'controlLeg'>;
  /** What is decided before it is open is told when it is. */
  isOpen(): boolean;
  /** Whether all may hear this one, as far as the floor goes. */
  maySpeak(): boolean;
  /** Shows the controls as they are. */
  show(): void;
}

/** Sees to it that the mixer does with a leg what is decided about it, and that what is shown is what is done. */
export class ControlledLeg {
  private readonly options: ControlledLegOptions;
  /** What the mixer was told last. */
  private told = '';

  constructor(options: ControlledLegOptions) {
    this.options = options;
  }

  /** Rejects with a `MixerError`; then all is as it was before. */
  async decide(decision: Decision): Promise<void> {
    const undo = this.options.controls.decide(decision);
    try {
      await this.changed();
    } catch (error) {
      undo();
      this.options.show();
      // A mixer that is taken for dead gets it in its next life.
      this.tell().catch(() => undefined);
      throw error;
    }
  }

  /** Puts what changed in the controls into effect; rejects with a `MixerError`. */
  async changed(): Promise<void> {
    await this.tell();
    this.options.show();
  }

  /** For who tells the mixer by another way, such as when the leg is opened. */
  forMixer(): LegControl {
    const control = this.options.controls.forMixer(this.options.maySpeak());
    this.told = JSON.stringify(control);
    return control;
  }

  private async tell(): Promise<void> {
    const { leg, mixers, isOpen } = this.options;
    if (!isOpen()) return;
    const before = this.told;
    const control = this.forMixer();
    if (this.told === before) return;
    try {
      await mixers.controlLeg(leg, control);
    } catch (error) {
      this.told = '';
      throw error;
    }
  }
}

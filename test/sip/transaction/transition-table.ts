import { expect } from 'vitest';
import type { Output, Step } from '../../../server/sip/transaction/step.ts';

/** Outputs in one line: `send request, set A 500, inform timeout, terminate`. */
export function written(outputs: readonly Output[]): string {
  return outputs.map(writtenOutput).join(', ');
}

function writtenOutput(output: Output): string {
  switch (output.do) {
    case 'send':
      return `send ${output.message}`;
    case 'set':
      return `set ${output.timer} ${output.afterMs}`;
    case 'clear':
      return `clear ${output.timer}`;
    case 'inform':
      return `inform ${output.of}`;
    case 'terminate':
      return 'terminate';
  }
}

/** State, input, next state, outputs. An input is a word, a status, or a timer with its interval: `A 500`. */
export type Transition<State> = readonly [State, string | number, State, string];

type ParsedInput = string | { status: number } | { timer: string; afterMs: number };

export function parseInput(input: string | number): ParsedInput {
  if (typeof input === 'number') return { status: input };
  const [timer = '', afterMs] = input.split(' ');
  return afterMs === undefined ? input : { timer, afterMs: Number(afterMs) };
}

/** Runs every row, then every pair of state and input that has no row: those must change nothing. */
export function expectTransitions<State extends string, Input>(
  step: (state: State, input: Input, reliable: boolean) => Step<State>,
  reliable: boolean,
  table: readonly Transition<State>[],
  states: readonly State[],
): void {
  const apply = (state: State, input: string | number) => {
    const next = step(state, parseInput(input) as Input, reliable);
    return [state, input, next.state, written(next.outputs)];
  };
  for (const row of table) expect(apply(row[0], row[1])).toEqual(row);

  const listed = new Set(table.map(([state, input]) => `${state} ${input}`));
  for (const input of new Set(table.map((row) => row[1]))) {
    for (const state of states) {
      if (listed.has(`${state} ${input}`) || input === 'start') continue;
      expect(apply(state, input)).toEqual([state, input, state, '']);
    }
  }
}

import { describe, expect, test } from 'vitest';
import type { Floor } from './floors.ts';
import { goalTable } from './goals.ts';
import { judged } from './judged.ts';
import type { LoadFigures } from './load-figures.ts';
import type { ParleyFigures, ScenarioResult } from './load-run.ts';
import { tableHead, tableRow } from './report.ts';
import { scenario } from './scenarios.ts';

const summary = { count: 2_000, median: 18, p99: 26, p999: 29, max: 31 };
const bare: LoadFigures = {
  load: {
    seconds: 10,
    packetsSent: 50_000,
    packetsReceived: 50_000,
    packetsLost: 0,
    gapsMs: summary,
    addedDelayMs: summary,
    markersMissed: 0,
    generatorCpu: 0.2,
    generatorLatenessMs: summary,
  },
  cpuCores: 0.1,
  callersPerCore: 1_000,
  cpuMsPerCallerSecond: 0.987,
  otherCpuCores: 0,
  loadAverage: 0,
  doubts: [],
};
const floor: Floor = { name: 'PCMU, 100 callers', node: bare, c: null };

function result(failure: string | null): ScenarioResult {
  const pauses = { count: 20, totalMs: 15, maxMs: 2 };
  const parley: ParleyFigures = {
    ...bare,
    ticks: { count: 5_000, p999: 3, lateShare: 0 },
    gc: { server: pauses, mixers: pauses },
    memoryPerCaller: { server: { managed: 20_000, all: 25_000 }, mixers: { managed: 30_000, all: 40_000 } },
    mixerLoad: 0.3,
    failure,
  };
  return { scenario: scenario('pcmu-100-3')!, parley, floor, timesNode: failure ? null : 1.25, timesC: null };
}

const cells = (row: string): string[] => row.split('|').map((cell) => cell.trim());

test('a line has every figure below its heading, and goals beside it', () => {
  const [head] = tableHead().split('\n');
  const row = cells(tableRow(result(null)));
  expect(row).toHaveLength(cells(head!).length);
  expect(row).toEqual(
    expect.arrayContaining(['pcmu-100-3', '0.99', '1000', '1.25', '–', '18.0 / 26.0 / 29.0', '2.0, 2.0, 1.5']),
  );
  expect(row).toContain('20 + 30 (65)');
  expect(goalTable([result(null)])).toMatch(
    /pcmu-100-3 \| 1 ms\/caller·s \| 3\.75 \/ 4\.7 \| 0\.987 ms\/caller·s \| yes \|/,
  );
});

test('what was overloaded has no figures, and has not met its goal', () => {
  const row = tableRow(result('overloaded: 61% of the packets due came back'));
  expect(row).toMatch(/overloaded: 61% of the packets due came back/);
  expect(row).not.toMatch(/0\.99|18\.0|1000/);
  expect(cells(row)).toHaveLength(cells(tableHead().split('\n')[0]!).length);
  expect(goalTable([result('overloaded: …')])).toMatch(/\| no figure \| no \|/);
});

describe('what was measured is judged', () => {
  const measured = (packetsReceived: number, lateShare: number, cpuCores: number, otherCpuCores: number) =>
    judged({
      figures: { ...bare, cpuCores, otherCpuCores, load: { ...bare.load, packetsReceived }, doubts: ['a doubt'] },
      ticks: { count: 500, p999: 3, lateShare },
      mixerLoad: cpuCores,
      rooms: 1,
      cores: 2,
    });

  test('all in order: figures', () => {
    expect(measured(49_900, 0, 0.4, 0)).toEqual({ failure: null, doubts: ['a doubt'] });
  });

  test('packets are missing, or ticks late, with a full mixer: overloaded, whatever others do', () => {
    expect(measured(30_000, 0.5, 0.97, 0).failure).toMatch(/^overloaded: 60% of .* 50% of the ticks.*0\.97 by Parley/);
    expect(measured(50_000, 0.2, 0.97, 0.5).failure).toMatch(/^overloaded: /);
  });

  test('packets are missing while others use the machine: spoilt', () => {
    expect(measured(30_000, 0.5, 0.4, 1.2).failure).toMatch(/^spoilt by other programs: /);
  });

  test('only ticks are late, and nothing is full: figures, with a doubt', () => {
    const { failure, doubts } = measured(50_000, 0.2, 0.4, 1.2);
    expect(failure).toBeNull();
    expect(doubts).toEqual(['100% of the packets due came back, 20% of the ticks were over 20 ms late', 'a doubt']);
  });
});

import { test } from 'vitest';
import { VoiceActivity } from '../../mixer/audio/voice-activity.ts';
import { speech } from '../speech/speech.ts';
import { levelDb, noise } from './signals.ts';

function brown(n: number, db: number, pole: number) {
  const w = noise(n, 10000, 7);
  const out = new Float64Array(n);
  let y = 0,
    e = 0;
  for (let i = 0; i < n; i++) {
    y = pole * y + w[i]!;
    out[i] = y;
    e += y * y;
  }
  const g = (32768 * 10 ** (db / 20)) / Math.sqrt(e / n);
  return Int16Array.from(out, (v) => Math.round(v * g));
}
test('m', () => {
  for (const rate of [8000, 16000] as const)
    for (const voice of ['low', 'high'] as const)
      for (const spDb of [-22, -32, -42])
        for (const [nDb, pole] of [
          [-200, 0],
          [-60, 0],
          [-50, 0.9],
          [-45, 0.98],
          [-42, 0],
        ] as const) {
          const s0 = speech(voice, rate);
          const g = 10 ** ((spDb - levelDb(s0)) / 20);
          const F = rate / 50;
          const N = Math.floor(s0.length / F);
          const sig = new Int16Array(4 * rate + s0.length * 2);
          for (let r = 0; r < 2; r++)
            for (let i = 0; i < s0.length; i++)
              sig[4 * rate + r * s0.length + i] = Math.max(-32768, Math.min(32767, s0[i]! * g));
          const nz = nDb > -100 ? brown(sig.length, nDb, pole) : new Int16Array(sig.length);
          const va = new VoiceActivity(rate);
          let lost = 0,
            loud = 0,
            noiseOn = 0,
            noiseN = 0,
            spk = 0;
          for (let k = 0; k * F + F <= sig.length; k++) {
            const mix = new Int16Array(F);
            for (let i = 0; i < F; i++) mix[i] = sig[k * F + i]! + nz[k * F + i]!;
            const act = va.process(mix, 0, F);
            const clean = levelDb(sig, k * F, k * F + F);
            if (k >= 200) {
              if (clean > Math.max(-55, nDb + 6)) {
                loud++;
                if (!act) lost++;
                if (va.speaking) spk++;
              }
            } else if (k >= 160) {
              noiseN++;
              if (act) noiseOn++;
            }
          }
          console.log(
            rate,
            voice,
            'speech',
            spDb,
            'noise',
            nDb,
            pole,
            `lost ${lost}/${loud} speaking ${((spk / loud) * 100).toFixed(0)}% noiseOn ${noiseOn}/${noiseN}`,
          );
        }
});

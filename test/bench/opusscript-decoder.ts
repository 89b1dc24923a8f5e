import { createRequire } from 'node:module';
import type { AudioDecoder } from '../../mixer/codec/codec.ts';
import { opusPacketSamples } from '../../mixer/codec/opus-packet.ts';

/**
 * The other decoder at hand, libopus 1.4 in opusscript, for comparison. It has no call to conceal a given length and none
 * for FEC; but a frame without octets is one that was not sent (RFC 6716 §3.2.1), which it conceals.
 */

interface Handler {
  _decode(packet: number, length: number, pcm: number): number;
}

interface Module {
  readonly HEAPU8: Uint8Array;
  readonly HEAP32: Int32Array;
  _malloc(bytes: number): number;
  readonly OpusScriptHandler: new (sampleRateHz: number, channels: number, application: number) => Handler;
}

/** CELT, one frame of 20 ms. */
const NOTHING_SENT = Uint8Array.of(0xf8);

export function createOpusscriptDecoder(): AudioDecoder {
  const module = (createRequire(import.meta.url)('opusscript/build/opusscript_native_wasm.js') as () => Module)();
  const handler = new module.OpusScriptHandler(48000, 1, 2048);
  const packetAddress = module._malloc(4000);
  const pcmAddress = module._malloc(5760 * 4);

  const decode = (payload: Uint8Array, out: Int16Array, offset: number): number => {
    module.HEAPU8.set(payload, packetAddress);
    const samples = handler._decode(packetAddress, payload.length, pcmAddress);
    for (let i = 0; i < samples; i++) {
      const word = module.HEAP32[(pcmAddress >> 2) + i]!;
      out[offset + i] = (word & 0xff) | ((word >> 16) << 8);
    }
    return Math.max(0, samples);
  };
  return {
    sampleRateHz: 48000,
    historyPackets: 4,
    decode,
    samplesIn: (payload) => opusPacketSamples(payload, 48000),
    saysSilence: () => false,
    repairsPrevious: () => false,
    conceal: (_, out, offset) => void decode(NOTHING_SENT, out, offset),
    close: () => undefined,
  };
}

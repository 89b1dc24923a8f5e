import type { VideoMedia, VideoScene } from '../../mixer/video-protocol.ts';

export function someMedia(changes: Partial<VideoMedia> = {}): VideoMedia {
  const format = {
    ...{ codec: 'H264' as const, payloadType: 97, parameters: { 'packetization-mode': '1' }, rtxPayloadType: null },
    feedback: { nack: true, pli: true, fir: false, tmmbr: false, remb: false },
  };
  return {
    remote: { address: '192.0.2.1', rtpPort: 5000, rtcpPort: 5001 },
    rtcpMux: false,
    direction: 'sendrecv',
    send: format,
    receive: [format],
    limits: {
      maxWidth: 1280,
      maxHeight: 720,
      maxPixels: 921_600,
      maxPixelsPerSecond: 27_648_000,
      maxFps: 30,
      maxBitrateBps: null,
    },
    crypto: null,
    ...changes,
  };
}

export function someScene(changes: Partial<VideoScene> = {}): VideoScene {
  return {
    title: null,
    roomName: 'Room',
    layout: 'auto',
    canvas: { width: 1280, height: 720 },
    fps: 25,
    theme: 'dark',
    fill: 'crop',
    names: true,
    recording: 'off',
    speaker: null,
    spotlight: [],
    places: [],
    slides: null,
    participants: [],
    ...changes,
  };
}

import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { MediaPorts } from '../mixer/protocol.ts';
import { ServerCertificate } from './certificate/server-certificate.ts';
import { portShares } from './config/port-pairs.ts';
import type { Config } from './config/schema.ts';
import { type GuardOptions, RequestGuard } from './guard/request-guard.ts';
import type { Log } from './log.ts';
import type { MixersOptions } from './mixers/mixers.ts';
import type { VideoMixersOptions } from './mixers/video-mixers.ts';
import type { NodeTimers } from './node-timers.ts';
import type { StorageSettings } from './recordings/keeping/open-storage.ts';
import type { RecordingsOptions } from './recordings/recordings.ts';
import type { RegistrarSettings } from './registrar/open-registrar.ts';
import { MediaSession } from './sdp/media-session.ts';
import { ownAddressFor } from './sip/transport/addresses.ts';

/** What the configuration means for each part of the server. */

const PORT_QUARANTINE_MS = 5000;

/** Null when nothing is served over TLS. */
export async function openCertificate(config: Config, timers: NodeTimers, log: Log): Promise<ServerCertificate | null> {
  if (!config.tls && !config.httpTls) return null;
  const { dataDir, domain, publicAddress, tlsCertificate, tlsKey } = config;
  const files = tlsCertificate && tlsKey ? { certificate: tlsCertificate, key: tlsKey } : null;
  const names = [...new Set([domain, ...publicAddress, 'localhost', '127.0.0.1', '::1'])];
  return ServerCertificate.open({ timers, log, dataDir, files, names });
}

export function registrarSettings(config: Config): RegistrarSettings {
  const { domain, publicAddress, digestAlgorithms, digestQop, maxContactsPerUser, maxRegistrations } = config;
  return {
    domain,
    aliases: [...publicAddress, 'localhost'],
    algorithms: digestAlgorithms,
    qop: digestQop,
    expiry: { minimumS: config.registrationMinSeconds, maximumS: config.registrationMaxSeconds },
    maxContactsPerUser,
    maxBindings: maxRegistrations,
  };
}

export function storageSettings(config: Config): StorageSettings {
  const { recordingFolder, recordingS3Bucket: bucket, recordingS3AccessKeyId: accessKeyId } = config;
  const { recordingS3SecretAccessKey: secretAccessKey } = config;
  if (bucket === undefined) return { folder: recordingFolder };
  return {
    s3: {
      bucket,
      endpoint: config.recordingS3Endpoint,
      region: config.recordingS3Region,
      credentials:
        accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : undefined,
      prefix: config.recordingS3Prefix.replace(/^\/+|\/+$/g, ''),
      pathStyle: config.recordingS3PathStyle,
    },
  };
}

export function recordingSettings(config: Config): Omit<RecordingsOptions, 'log' | 'timers' | 'storage'> {
  return {
    directory: join(config.dataDir, 'recordings'),
    minFreeMb: config.recordingMinFreeMb,
    key: config.recordingKey ?? null,
    formats: config.recordingFormats,
    normalize: config.recordingNormalize,
    keepLocal: config.recordingKeepLocal,
    retention: { keepDays: config.recordingKeepDays, keepGb: config.recordingKeepGb },
  };
}

type GuardSurroundings = Pick<GuardOptions, 'log' | 'now' | 'overload' | 'isSignedIn'>;

export function createGuard(config: Config, surroundings: GuardSurroundings): RequestGuard {
  return new RequestGuard({
    ...surroundings,
    bans: {
      afterFailures: config.banAfterFailures,
      windowMs: config.failureWindowSeconds * 1000,
      banMs: config.banSeconds * 1000,
    },
    requestsPerSecond: config.requestsPerSecondPerAddress,
    requestsPerSecondPrivate: config.requestsPerSecondPerPrivateAddress,
    scanners: config.scannerUserAgents,
  });
}

export function mixerOptions(config: Config): Pick<MixersOptions, 'count' | 'settings' | 'rtpPortMin' | 'rtpPortMax'> {
  return {
    count: config.audioMixers,
    settings: {
      bindAddress: config.bind,
      portQuarantineMs: PORT_QUARANTINE_MS,
      silenceTimeoutMs: config.rtpSilenceTimeoutSeconds * 1000,
      opusComplexity: config.opusComplexity,
      maxTalkers: config.maxTalkers,
      automaticGain: config.automaticGain,
      comfortNoiseDb: config.comfortNoiseDb,
    },
    rtpPortMin: config.rtpMin,
    rtpPortMax: config.rtpMin + 2 * portShares(config).audio - 1,
  };
}

type VideoSettings = Pick<VideoMixersOptions, 'count' | 'settings' | 'rtpPortMin' | 'rtpPortMax'>;

export function videoMixerOptions(config: Config): VideoSettings {
  const { audio, video } = portShares(config);
  const rtpPortMin = config.rtpMin + 2 * audio;
  return {
    count: config.videoMixers,
    settings: {
      bindAddress: config.bind,
      portQuarantineMs: PORT_QUARANTINE_MS,
      silenceTimeoutMs: config.rtpSilenceTimeoutSeconds * 1000,
      encoder: config.videoEncoder,
      font: config.videoFont ?? null,
    },
    rtpPortMin,
    rtpPortMax: rtpPortMin + 2 * video - 1,
  };
}

/** `peer` is the address that the call comes from. */
export function createSession(config: Config, ports: MediaPorts, peer: string): MediaSession {
  const { publicAddress, codecs, srtp, videoMixers, videoCodecs } = config;
  const address = ownAddressFor(publicAddress, peer);
  // Phones that know no fragments are offered packetization mode 0 as well (RFC 6184 §8.1).
  const choices = videoCodecs.flatMap((codec) => (codec === 'H264' ? (['H264', 'H264/0'] as const) : [codec]));
  const video = videoMixers > 0 ? { codecs: choices } : null;
  return new MediaSession({ address, ...ports, codecs, srtp, video, sessionId: randomInt(1, 2 ** 47) });
}

import { isIPv6 } from 'node:net';
import { policyConflict, saidOf, USUAL_POLICY } from '../rooms/policy.ts';
import type { ConfigProblem, Origin } from './given.ts';
import { shown } from './given.ts';
import type { Host } from './host.ts';
import { portPairs, portShares } from './port-pairs.ts';
import type { Config, ConfigKey } from './schema.ts';

/** What no value shows alone. Only values that somebody gave are blamed. */
export function crossChecks(config: Config, sources: Readonly<Record<ConfigKey, Origin>>, host: Host): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const blame = (key: ConfigKey, text: string) =>
    problems.push({ key, origin: sources[key], given: shown(key, config[key]), text });

  checkAddresses(config, host, blame);
  checkPorts(config, sources, blame);
  checkCertificate(config, blame);
  checkPolicies(config, blame);
  checkRecordings(config, host, blame);
  if (config.registrationMinSeconds > config.registrationMaxSeconds) {
    blame(
      'registrationMinSeconds',
      `must not be above registrationMaxSeconds, which is ${config.registrationMaxSeconds}`,
    );
  }
  const cannotWrite = host.cannotWriteTo(config.dataDir);
  if (cannotWrite !== null) blame('dataDir', `must be a directory that can be written to, or made: ${cannotWrite}`);
  return problems;
}

/** Where recordings go. */
function checkRecordings(config: Config, host: Host, blame: Blame): void {
  const { recordingFolder, recordingS3Bucket, recordingS3AccessKeyId, recordingS3SecretAccessKey } = config;
  if (recordingFolder !== undefined) {
    const cannotWrite = host.cannotWriteTo(recordingFolder);
    if (cannotWrite !== null) blame('recordingFolder', `must be a directory that can be written to: ${cannotWrite}`);
    if (recordingS3Bucket !== undefined) blame('recordingFolder', 'must not be there beside recordingS3Bucket');
  }
  if (!config.recordingKeepLocal && recordingFolder === undefined && recordingS3Bucket === undefined) {
    blame(
      'recordingKeepLocal',
      'must have recordingFolder or recordingS3Bucket with it: there are no copies elsewhere',
    );
  }
  if (recordingS3AccessKeyId !== undefined && recordingS3SecretAccessKey === undefined) {
    blame('recordingS3AccessKeyId', 'must have recordingS3SecretAccessKey with it');
  }
  if (recordingS3SecretAccessKey !== undefined && recordingS3AccessKeyId === undefined) {
    blame('recordingS3SecretAccessKey', 'must have recordingS3AccessKeyId with it');
  }
}

type Blame = (key: ConfigKey, text: string) => void;

function checkAddresses(config: Config, host: Host, blame: Blame): void {
  const own = Object.values(host.interfaces).flatMap((addresses = []) => addresses.map(({ address }) => address));
  for (const key of ['bind', 'httpBind'] as const) {
    if (isOnHost(config[key], own)) continue;
    blame(key, `must be an address of this host, or 0.0.0.0 for all; this host has ${own.join(', ')}`);
  }
  // An IPv6 socket for all addresses serves IPv4 too.
  const ofBind = (address: string): boolean => isIPv6(address) === isIPv6(config.bind);
  if (config.bind !== '::' && !config.publicAddress.every(ofBind)) {
    blame('publicAddress', `must be of the same family as bind, which is ${config.bind}`);
  }
}

/** The whole of 127.0.0.0/8 is loopback (RFC 1122 §3.2.1.3). */
function isOnHost(address: string, own: readonly string[]): boolean {
  return address === '0.0.0.0' || address === '::' || address.startsWith('127.') || own.includes(address);
}

function checkPorts(config: Config, sources: Readonly<Record<ConfigKey, Origin>>, blame: Blame): void {
  const { rtpMin, rtpMax, audioMixers, videoMixers, maxCalls } = config;
  if (rtpMax <= rtpMin) {
    blame(sources.rtpMax.kind === 'default' ? 'rtpMin' : 'rtpMax', `rtpMax must be above rtpMin, which is ${rtpMin}`);
    return;
  }
  const pairs = portPairs(config);
  const { audio, video } = portShares(config);
  const range = `${rtpMin} to ${rtpMax} hold ports for`;
  if (maxCalls > pairs) blame('maxCalls', `must be at most ${pairs}: ${range} ${pairs} calls`);
  if (audioMixers > audio) {
    blame('audioMixers', `must be at most ${audio}: ${range} ${audio} calls, and each mixer needs some`);
  } else checkRoomsFit(config, sources, Math.floor(audio / audioMixers), blame);
  if (videoMixers > video) {
    blame('videoMixers', `must be at most ${video}: ${range} ${video} video streams beside ${audio} calls`);
  }
  checkListeningPorts(config, sources, blame);
}

/** SIP and floor control listen on UDP and TCP, with TLS and HTTP on TCP beside them. */
function checkListeningPorts(config: Config, sources: Readonly<Record<ConfigKey, Origin>>, blame: Blame): void {
  const { rtpMin, rtpMax, sipPort, sipsPort, bfcpPort, httpPort, tls, bind } = config;
  for (const key of ['sipPort', 'bfcpPort'] as const) {
    const port = config[key];
    if (port < rtpMin || port > rtpMax) continue;
    const range = `${rtpMin} to ${rtpMax}`;
    if (sources[key].kind !== 'default') blame(key, `must not be one of the media ports, which are ${range}`);
    else {
      const given = sources.rtpMin.kind === 'default' ? 'rtpMax' : 'rtpMin';
      blame(given, `the media ports, ${range}, must not hold ${key}, which is ${port}`);
    }
  }
  /** Blames the first of them that somebody gave. */
  const blameSame = (key: PortKey, other: PortKey): void => {
    const isGiven = sources[key].kind !== 'default' || sources[other].kind === 'default';
    const [blamed, same] = isGiven ? [key, other] : [other, key];
    blame(blamed, `must not be the same as ${same}, which is ${config[same]} on ${bind}, TCP too`);
  };
  const besideHttp = httpPort !== 0 && sharesAddress(bind, config.httpBind);
  if (besideHttp && sipPort === httpPort) blameSame('httpPort', 'sipPort');
  if (tls && sipsPort !== 0 && sipsPort === sipPort) blameSame('sipsPort', 'sipPort');
  if (tls && besideHttp && sipsPort === httpPort) blameSame('httpPort', 'sipsPort');
  // By default it gives way: it is not what somebody meant who gave its port to another.
  if (bfcpPort === 0 || sources.bfcpPort.kind === 'default') return;
  if (bfcpPort === sipPort) blameSame('bfcpPort', 'sipPort');
  if (tls && bfcpPort === sipsPort) blameSame('bfcpPort', 'sipsPort');
  if (besideHttp && bfcpPort === httpPort) blameSame('bfcpPort', 'httpPort');
}

type PortKey = 'sipPort' | 'sipsPort' | 'bfcpPort' | 'httpPort';

function checkCertificate({ tlsCertificate, tlsKey }: Config, blame: Blame): void {
  if (tlsCertificate !== undefined && tlsKey === undefined) blame('tlsCertificate', 'must have `tlsKey` with it');
  if (tlsKey !== undefined && tlsCertificate === undefined) blame('tlsKey', 'must have `tlsCertificate` with it');
}

function checkPolicies({ rooms }: Config, blame: Blame): void {
  for (const { name, ...policy } of rooms) {
    const conflict = policyConflict({ ...USUAL_POLICY, ...saidOf(policy) });
    if (conflict) blame('rooms', `${name}: ${conflict.member} ${conflict.text}`);
  }
}

function checkRoomsFit(
  config: Config,
  sources: Readonly<Record<ConfigKey, Origin>>,
  share: number,
  blame: Blame,
): void {
  const text = `no room can hold more than ${share}: that many calls find ports in one of ${config.audioMixers} mixers`;
  if (sources.maxParticipants.kind !== 'default' && config.maxParticipants > share) blame('maxParticipants', text);
  const tooBig = config.rooms.find(({ maxParticipants }) => maxParticipants > share);
  if (sources.rooms.kind !== 'default' && tooBig && tooBig.maxParticipants !== config.maxParticipants) {
    blame('rooms', `${tooBig.name}: ${text}`);
  }
}

function sharesAddress(a: string, b: string): boolean {
  const all = ['0.0.0.0', '::'];
  return a === b || all.includes(a) || all.includes(b);
}

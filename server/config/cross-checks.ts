import { isIPv6 } from 'node:net';
import { policyConflict, saidOf, USUAL_POLICY } from '../rooms/policy.ts';
import type { ConfigProblem, Origin } from './given.ts';
import { shown } from './given.ts';
import type { Host } from './host.ts';
import { portPairs } from './port-pairs.ts';
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
  const { rtpMin, rtpMax, audioMixers, maxCalls } = config;
  if (rtpMax <= rtpMin) {
    blame(sources.rtpMax.kind === 'default' ? 'rtpMin' : 'rtpMax', `rtpMax must be above rtpMin, which is ${rtpMin}`);
    return;
  }
  const pairs = portPairs(config);
  const range = `${rtpMin} to ${rtpMax} hold ports for ${pairs} calls`;
  if (maxCalls > pairs) blame('maxCalls', `must be at most ${pairs}: ${range}`);
  if (audioMixers > pairs) blame('audioMixers', `must be at most ${pairs}: ${range}, and each mixer needs some`);
  else checkRoomsFit(config, sources, Math.floor(pairs / audioMixers), blame);
  checkListeningPorts(config, blame);
}

/** SIP listens on UDP and TCP, with TLS and HTTP on TCP beside it. */
function checkListeningPorts(config: Config, blame: Blame): void {
  const { rtpMin, rtpMax, sipPort, sipsPort, httpPort, tls, bind } = config;
  if (sipPort >= rtpMin && sipPort <= rtpMax) {
    blame('sipPort', `must not be one of the media ports, which are ${rtpMin} to ${rtpMax}`);
  }
  const besideHttp = httpPort !== 0 && sharesAddress(bind, config.httpBind);
  if (besideHttp && sipPort === httpPort) {
    blame('httpPort', `must not be the same as sipPort, which is ${sipPort} on ${bind}, TCP too`);
  }
  if (tls && sipsPort !== 0 && sipsPort === sipPort) {
    blame('sipsPort', `must not be the same as sipPort, which is ${sipPort}, TCP too`);
  }
  if (tls && besideHttp && sipsPort === httpPort) {
    blame('httpPort', `must not be the same as sipsPort, which is ${sipsPort} on ${bind}`);
  }
}

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

import { isIP } from 'node:net';
import { z } from 'zod';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import type { VideoCodecName } from '../../mixer/video-protocol.ts';
import { policyNotes, policyShape, type RoomPolicy, type SaidPolicy } from '../rooms/policy.ts';
import { roomName } from '../rooms/room-name.ts';
import { DIGEST_ALGORITHMS } from '../sip/auth/digest.ts';
import { notes, type ValueNotes } from './notes.ts';
import { recordingShape } from './recording-keys.ts';

/** An address, or a range of them as `192.0.2.0/24`. */
const addressRange = z.string().refine((text) => {
  const [, address, prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address ?? '');
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 4 ? 32 : 128));
});

const integer = (min: number, max: number) => z.int().min(min).max(max);
const ipLiteral = z.string().refine((text) => isIP(text) !== 0);
const specifiedIpLiteral = ipLiteral.refine((text) => text !== '0.0.0.0' && !/^[:0]+$/.test(text));
/** One of each family at most, separated by commas or as a list. */
const specifiedIpLiterals = z
  .string()
  .or(z.array(z.string()))
  .transform((given, { addIssue }) => {
    const addresses = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : given;
    const valid = addresses.length > 0 && addresses.every((address) => specifiedIpLiteral.safeParse(address).success);
    if (!valid || !unique(addresses.map((address) => isIP(address)))) addIssue({ code: 'custom' });
    return addresses;
  });
/** As browsers write them (RFC 6454 §6.2). */
const webOrigin = z.string().regex(/^(\*|[a-z][a-z0-9+.-]*:\/\/[^/\s]+)$/i);
/** Labels of RFC 1123 §2.1; an IPv4 literal fits too. */
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

const usualCodecs = ['opus', 'G722', 'PCMA', 'PCMU'] as const satisfies readonly AudioCodecName[];
const codecNames = [...usualCodecs, 'L16/48000', 'L16/16000', 'L16/8000'] as const satisfies readonly AudioCodecName[];
/** Encoding names compare without case (RFC 4855 §3). */
const codec = z.preprocess(
  (given) =>
    codecNames.find((name) => typeof given === 'string' && name.toLowerCase() === given.toLowerCase()) ?? given,
  z.enum(codecNames),
);

const videoCodecNames = ['H264', 'VP8'] as const satisfies readonly VideoCodecName[];
const videoCodec = z.preprocess(
  (given) => (typeof given === 'string' ? given.toUpperCase() : given),
  z.enum(videoCodecNames),
);

/** Algorithm names compare without case (RFC 8760 §2.1). */
const digestName = z.preprocess(
  (given) => (typeof given === 'string' ? given.toUpperCase() : given),
  z.enum(DIGEST_ALGORITHMS),
);

const unique = <T>(values: readonly T[]) => new Set(values).size === values.length;

const dialledName = z.string().transform((name, { addIssue }) => {
  const valid = roomName(name);
  if (valid === null) addIssue({ code: 'custom' });
  return valid ?? z.NEVER;
});

const participantLimit = integer(1, 10_000);

/** A room says what it likes; the rest is as usual. */
const policyOfRoom = Object.fromEntries(
  Object.entries(policyShape).map(([key, schema]) => [
    key,
    (schema as z.ZodType).optional().register(notes, policyNotes[key as keyof RoomPolicy]),
  ]),
) as { [Key in keyof typeof policyShape]: z.ZodOptional<(typeof policyShape)[Key]> };

const roomShape = {
  name: dialledName.register(notes, {
    meaning: 'What people dial; case does not count.',
    right: '1 to 64 letters, digits, ".", "_", "-" and "+", of which the first is a letter, a digit or "+"',
  }),
  ...policyOfRoom,
};

const room = z.strictObject(roomShape).register(notes, {
  meaning: 'A room that is always there.',
  right: 'a mapping with `name` and, if wanted, other keys of rooms',
});

/** Every key there is: one schema for file, environment, flags, types, help and documents. */
export const configSchema = z.strictObject({
  bind: ipLiteral.default('0.0.0.0').register(notes, {
    meaning: 'Address to listen on for SIP and RTP.',
    right: 'an IP address of this host, or 0.0.0.0 (IPv6: ::) for all',
  }),
  publicAddress: specifiedIpLiterals.optional().register(notes, {
    meaning:
      'Address to put into SDP and Contact: where others reach this server. One for IPv4, one for IPv6, or both.',
    right: 'an IP address that others can send to, such as 192.0.2.10, or one of each family, separated by a comma',
    otherwise: "`bind`; where that is for all, this host's first address that is not loopback",
  }),
  domain: z.string().regex(hostName).or(ipLiteral).optional().register(notes, {
    meaning: 'The SIP domain served.',
    right: 'a host name such as example.com, or an IP address',
    otherwise: '`publicAddress`',
  }),
  sipPort: integer(0, 65_535).default(5060).register(notes, {
    meaning: 'Port for SIP over UDP and TCP; 0 takes any free one.',
    right: 'a port, 0 to 65535',
  }),
  sipsPort: integer(0, 65_535).default(5061).register(notes, {
    meaning: 'Port for SIP over TLS; 0 takes any free one.',
    right: 'a port, 0 to 65535',
  }),
  tls: z.boolean().default(true).register(notes, {
    meaning: 'SIP over TLS, too.',
    right: 'true or false',
  }),
  tlsCertificate: z.string().min(1).optional().register(notes, {
    meaning: 'File with the TLS certificate and those up to its root, in PEM; taken up again when it changes.',
    right: 'a file, and `tlsKey` with it',
    otherwise: 'one is made, signed by itself',
  }),
  tlsKey: z.string().min(1).optional().register(notes, {
    meaning: 'File with the key of `tlsCertificate`, in PEM.',
    right: 'a file, and `tlsCertificate` with it',
    otherwise: 'one is made',
  }),
  tlsVerify: z.enum(['all', 'names', 'none']).default('names').register(notes, {
    meaning:
      'Whose certificates must be good when this server connects by TLS. `names`: theirs that are dialled by a name.',
    right: 'one of all, names, none',
  }),
  tlsClientCa: z.string().min(1).optional().register(notes, {
    meaning:
      'Who connects by TLS is asked for a certificate: the file with those of the authorities that sign them, in PEM, read at the start.',
    right: 'a file',
    otherwise: 'nobody is asked',
  }),
  bfcpPort: integer(0, 65_535).default(5070).register(notes, {
    meaning:
      'Port where room systems and phones ask for the floor to show slides (BFCP), over UDP and TCP; 0: nowhere.',
    right: 'a port, 0 to 65535',
  }),
  httpBind: ipLiteral.default('127.0.0.1').register(notes, {
    meaning: 'Address to listen on for HTTP.',
    right: 'an IP address of this host, or 0.0.0.0 (IPv6: ::) for all',
  }),
  httpPort: integer(0, 65_535).default(8080).register(notes, {
    meaning: 'Port for the HTTP API and for SIP over WebSocket, at /sip; 0 takes any free one.',
    right: 'a port, 0 to 65535',
  }),
  httpTls: z.boolean().default(false).register(notes, {
    meaning: 'HTTPS and WSS on that port, with the same certificate as SIP.',
    right: 'true or false',
  }),
  webSocketOrigins: z.array(webOrigin).default([]).register(notes, {
    meaning: 'Web pages that may open a WebSocket, besides those of this very host and port; `*` is all.',
    right: 'origins such as https://phone.example.com, separated by commas or as a list, or *',
    otherwise: 'none',
  }),
  httpCorsOrigins: z.array(webOrigin).default([]).register(notes, {
    meaning: 'Web pages of other hosts and ports that may use the HTTP API, with a token; `*` is all.',
    right: 'origins such as https://app.example.com, separated by commas or as a list, or *',
    otherwise: 'none',
  }),
  webhookAddresses: z.array(addressRange).default([]).register(notes, {
    meaning: 'Addresses that webhooks may lead to, besides those of the public Internet.',
    right: 'addresses and ranges such as 192.0.2.10 and 10.0.0.0/8, separated by commas or as a list',
    otherwise: 'none',
  }),
  trustedPeers: z.array(addressRange).default([]).register(notes, {
    meaning:
      'Proxies and trunks whose word is taken for who calls: P-Asserted-Identity and Privacy of their calls are heeded.',
    right: 'addresses and ranges such as 192.0.2.10 and 198.51.100.0/24, separated by commas or as a list',
    otherwise: 'none',
  }),
  rtpMin: integer(1024, 65_534).multipleOf(2).default(16_384).register(notes, {
    meaning: 'First port for media.',
    right: 'an even port, 1024 to 65534',
  }),
  rtpMax: integer(1025, 65_535).default(32_767).register(notes, {
    meaning: 'Last port for media. A call takes two, RTP and RTCP, and two more for each stream of video.',
    right: 'a port, 1025 to 65535, above `rtpMin`',
  }),
  dataDir: z.string().min(1).default('./data').register(notes, {
    meaning: 'Directory for the database, recordings and keys, seen from the working directory.',
    right: 'a directory that can be written to, or made',
  }),
  promptsDir: z.string().min(1).optional().register(notes, {
    meaning: 'Directory with own prompts, sounds and music, which go before those that come with the server.',
    right: 'a directory with en, de, sounds or music in it, as docs/prompts.md says',
    otherwise: 'none',
  }),
  apiToken: z
    .string()
    .regex(/^[A-Za-z0-9._~+/-]+=*$/)
    .optional()
    .register(notes, {
      meaning: "The administrator's bearer token for the HTTP API.",
      right: 'letters, digits and "-._~+/", with "=" only at its end (RFC 6750 §2.1)',
      otherwise: 'made and printed at the first start',
      secret: true,
    }),
  adhocRooms: z.enum(['anyone', 'private', 'users', 'nobody']).default('private').register(notes, {
    meaning:
      'Who may open a room by dialling its name. `private`: loopback and private addresses, and signed-in users.',
    right: 'one of anyone, private, users, nobody',
  }),
  digestAlgorithms: z
    .array(digestName)
    .min(1)
    .refine(unique)
    .default([...DIGEST_ALGORITHMS])
    .register(notes, {
      meaning:
        "How phones may prove passwords, the preferred way first. A user's password must be set anew for one that is added.",
      right: 'one or more of SHA-256, SHA-512-256, MD5, separated by commas or as a list, none twice',
    }),
  digestQop: z
    .array(z.enum(['auth', 'auth-int']))
    .min(1)
    .refine(unique)
    .default(['auth'])
    .register(notes, {
      meaning: 'What is offered to phones as quality of protection. auth-int fails where routers change bodies.',
      right: 'auth, auth-int or both, separated by a comma or as a list',
    }),
  registrationMinSeconds: integer(1, 86_400).default(60).register(notes, {
    meaning: 'The shortest registration; who wants a shorter one is told so (423).',
    right: 'a whole number of seconds from 1 to 86400',
  }),
  registrationMaxSeconds: integer(60, 604_800).default(3600).register(notes, {
    meaning: 'The longest registration; longer ones are cut.',
    right: 'a whole number of seconds from 60 to 604800, not below `registrationMinSeconds`',
  }),
  maxContactsPerUser: integer(1, 1000).default(10).register(notes, {
    meaning: 'How many phones of one user may be registered at once.',
    right: 'a whole number from 1 to 1000',
  }),
  maxRegistrations: integer(1, 1_000_000).default(100_000).register(notes, {
    meaning: 'How many phones may be registered at once.',
    right: 'a whole number from 1 to 1000000',
  }),
  banAfterFailures: integer(2, 10_000).default(10).register(notes, {
    meaning:
      'So many wrong passwords within `failureWindowSeconds`, and an address is banned; half as many, and it is slowed.',
    right: 'a whole number from 2 to 10000',
  }),
  failureWindowSeconds: integer(1, 86_400).default(60).register(notes, {
    meaning: 'How long a wrong password counts.',
    right: 'a whole number of seconds from 1 to 86400',
  }),
  banSeconds: integer(1, 604_800).default(600).register(notes, {
    meaning: 'How long an address that is banned gets no answer.',
    right: 'a whole number of seconds from 1 to 604800',
  }),
  requestsPerSecondPerAddress: integer(1, 1_000_000).default(100).register(notes, {
    meaning: 'SIP requests that one address may send. Loopback may send any number.',
    right: 'a whole number from 1 to 1000000',
  }),
  requestsPerSecondPerPrivateAddress: integer(1, 1_000_000).default(1000).register(notes, {
    meaning: 'The same for private addresses.',
    right: 'a whole number from 1 to 1000000',
  }),
  scannerUserAgents: z.array(z.string().min(3)).default([]).register(notes, {
    meaning:
      'Requests whose User-Agent has any of these in it get no answer, besides those of scanners that are known.',
    right: 'texts of at least 3 characters, separated by commas or as a list',
    otherwise: 'none',
  }),
  rooms: z
    .array(room)
    .refine((rooms) => unique(rooms.map(({ name }) => name)))
    .default([{ name: 'demo' }])
    .register(notes, {
      meaning: 'Rooms that are always there. Only in the file.',
      right: 'a list of rooms, no name twice',
      otherwise: 'one room, `demo`',
    }),
  maxParticipants: participantLimit.default(250).register(notes, {
    meaning: 'How many a room holds, where the room does not say otherwise.',
    right: 'a whole number from 1 to 10000',
  }),
  maxCalls: integer(1, 16_384).optional().register(notes, {
    meaning: 'How many calls the server takes at once.',
    right: 'a whole number from 1 to 16384',
    otherwise: '1000, or fewer when the media ports do not suffice',
  }),
  audioMixers: integer(1, 256).optional().register(notes, {
    meaning: 'Processes that mix audio.',
    right: 'a whole number from 1 to 256',
    otherwise: 'one for each core, fewer when the media ports do not suffice',
  }),
  videoMixers: integer(0, 64).optional().register(notes, {
    meaning: 'Processes that mix video; 0: there is no video.',
    right: 'a whole number from 0 to 64',
    otherwise: 'one, none when the media ports do not suffice',
  }),
  maxMixerLoad: z.number().min(0.1).max(1).default(0.7).register(notes, {
    meaning:
      'Busy share of a mixer above which it gets no more calls: they are answered with 503, and those that are up stay clean.',
    right: 'a number from 0.1 to 1',
  }),
  codecs: z
    .array(codec)
    .min(1)
    .refine(unique)
    .default([...usualCodecs])
    .register(notes, {
      meaning:
        'Audio codecs that are used, the preferred one first. Who has none of them, but uncompressed sound (L16), gets that.',
      right:
        'one or more of opus, G722, PCMA, PCMU, L16/48000, L16/16000, L16/8000, separated by commas or as a list, none twice',
    }),
  videoCodecs: z
    .array(videoCodec)
    .min(1)
    .refine(unique)
    .default([...videoCodecNames])
    .register(notes, {
      meaning: 'Video codecs that are used, the preferred one first.',
      right: 'one or both of H264 and VP8, separated by a comma or as a list, none twice',
    }),
  videoEncoder: z.enum(['software', 'nvenc', 'vaapi']).default('software').register(notes, {
    meaning:
      'What encodes H.264: this computer, or its graphics hardware. Where that cannot, software does, and the log says so. No such hardware was there to try it on.',
    right: 'one of software, nvenc, vaapi',
  }),
  videoFont: z.string().min(1).optional().register(notes, {
    meaning: 'TrueType file that names are written with in pictures, such as one with the letters of your language.',
    right: 'a file that can be read',
    otherwise: 'DejaVu Sans, which comes along',
  }),
  srtp: z.enum(['off', 'optional', 'required']).default('optional').register(notes, {
    meaning:
      'Encrypted media (SRTP) with keys from the signalling (SDES). `optional`: with those who offer it; `required`: calls without it are refused.',
    right: 'one of off, optional, required',
  }),
  opusComplexity: integer(0, 10).default(5).register(notes, {
    meaning: 'Effort of the Opus encoder: CPU time against sound.',
    right: 'a whole number from 0 to 10',
  }),
  maxTalkers: integer(1, 100).default(4).register(notes, {
    meaning: 'How many are heard at a time in a room: the loudest who speak.',
    right: 'a whole number from 1 to 100',
  }),
  automaticGain: z.enum(['off', 'gentle', 'on']).default('gentle').register(notes, {
    meaning:
      'Whether talkers are brought to a common loudness, −18 LUFS. `gentle`: only who is more than 5 dB off it, and by 9 dB at most; `on`: everybody, by 15 dB at most.',
    right: 'one of off, gentle, on',
  }),
  comfortNoiseDb: integer(-127, -50).default(-65).register(notes, {
    meaning:
      'Level of the noise under the mix, dBov, so that silence does not sound like a dead line. At -127 there is none.',
    right: 'a whole number from -127 to -50',
  }),
  rtpSilenceTimeoutSeconds: integer(1, 86_400).default(60).register(notes, {
    meaning: 'A caller who has sent no RTP and no RTCP for so long is hung up on.',
    right: 'a whole number of seconds from 1 to 86400',
  }),
  recordsDays: integer(0, 3650).default(90).register(notes, {
    meaning: 'For how many days the records of calls and conferences are kept; 0: none are.',
    right: 'a whole number of days from 0 to 3650',
  }),
  ...recordingShape,
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info').register(notes, {
    meaning: 'The least that is logged.',
    right: 'one of trace, debug, info, warn, error, fatal, silent',
  }),
});

/** What the file, the environment and flags say, with fixed defaults filled in. */
export type GivenConfig = z.output<typeof configSchema>;
export type ConfigKey = keyof GivenConfig;

export interface ConfiguredRoom extends SaidPolicy {
  name: string;
  maxParticipants: number;
}

/** Everything known: what nobody gave was found. */
type Found = 'publicAddress' | 'domain' | 'maxCalls' | 'audioMixers' | 'videoMixers' | 'rooms';
export interface Config extends Omit<GivenConfig, Found> {
  /** One, or one of each family. */
  publicAddress: string[];
  domain: string;
  maxCalls: number;
  audioMixers: number;
  videoMixers: number;
  /** Absolute, as the other files and directories. */
  dataDir: string;
  promptsDir: string | undefined;
  videoFont: string | undefined;
  tlsCertificate: string | undefined;
  tlsKey: string | undefined;
  tlsClientCa: string | undefined;
  recordingFolder: string | undefined;
  /** Undefined: one is to be made, see `adminToken()` of server/store. */
  apiToken: string | undefined;
  rooms: ConfiguredRoom[];
}

export const configKeys = Object.keys(configSchema.shape) as ConfigKey[];
export const roomKeys = Object.keys(roomShape);

export function isConfigKey(name: string): name is ConfigKey {
  return Object.hasOwn(configSchema.shape, name);
}

export function notesOf(key: ConfigKey): ValueNotes {
  const found = notes.get(configSchema.shape[key]);
  if (!found) throw new Error(`no notes on the configuration key ${key}`);
  return found;
}

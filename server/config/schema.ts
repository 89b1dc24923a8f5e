import { isIP } from 'node:net';
import { z } from 'zod';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { roomName } from '../rooms/room-name.ts';

/** What people are told about a value: in the help text, in documents, and when what they gave is wrong. */
export interface ValueNotes {
  meaning: string;
  /** What would be right; ends the sentence "must be …". */
  right: string;
  /** The default in words, where it is found rather than fixed. */
  otherwise?: string;
  secret?: true;
}

/** The notes that belong to each schema below. */
export const notes = z.registry<ValueNotes>();

const integer = (min: number, max: number) => z.int().min(min).max(max);
const ipLiteral = z.string().refine((text) => isIP(text) !== 0);
const specifiedIpLiteral = ipLiteral.refine((text) => text !== '0.0.0.0' && !/^[:0]+$/.test(text));
/** Labels of RFC 1123 §2.1; an IPv4 literal fits too. */
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

const codecNames = ['opus', 'G722', 'PCMA', 'PCMU'] as const satisfies readonly AudioCodecName[];
/** Encoding names compare without case (RFC 4855 §3). */
const codec = z.preprocess(
  (given) =>
    codecNames.find((name) => typeof given === 'string' && name.toLowerCase() === given.toLowerCase()) ?? given,
  z.enum(codecNames),
);

const unique = <T>(values: readonly T[]) => new Set(values).size === values.length;

const dialledName = z.string().transform((name, { addIssue }) => {
  const valid = roomName(name);
  if (valid === null) addIssue({ code: 'custom' });
  return valid ?? z.NEVER;
});

const participantLimit = integer(1, 10_000);

const roomShape = {
  name: dialledName.register(notes, {
    meaning: 'What people dial; case does not count.',
    right: '1 to 64 letters, digits, ".", "_", "-" and "+", of which the first is a letter, a digit or "+"',
  }),
  maxParticipants: participantLimit.optional().register(notes, {
    meaning: 'How many it holds; without it, the general `maxParticipants`.',
    right: 'a whole number from 1 to 10000',
  }),
  locked: z.boolean().default(false).register(notes, {
    meaning: 'Nobody more gets in.',
    right: 'true or false',
  }),
  muteOnEntry: z.boolean().default(false).register(notes, {
    meaning: 'Who enters is muted.',
    right: 'true or false',
  }),
};

const room = z.strictObject(roomShape).register(notes, {
  meaning: 'A room that is always there.',
  right: 'a mapping with `name` and, if wanted, `maxParticipants`, `locked` and `muteOnEntry`',
});

/** Every key there is: one schema for file, environment, flags, types, help and documents. */
export const configSchema = z.strictObject({
  bind: ipLiteral.default('0.0.0.0').register(notes, {
    meaning: 'Address to listen on for SIP and RTP.',
    right: 'an IP address of this host, or 0.0.0.0 (IPv6: ::) for all',
  }),
  publicAddress: specifiedIpLiteral.optional().register(notes, {
    meaning: 'Address to put into SDP and Contact: where others reach this server.',
    right: 'an IP address that others can send to, such as 192.0.2.10',
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
  httpBind: ipLiteral.default('127.0.0.1').register(notes, {
    meaning: 'Address to listen on for HTTP.',
    right: 'an IP address of this host, or 0.0.0.0 (IPv6: ::) for all',
  }),
  httpPort: integer(0, 65_535).default(8080).register(notes, {
    meaning: 'Port for the HTTP API; 0 takes any free one.',
    right: 'a port, 0 to 65535',
  }),
  rtpMin: integer(1024, 65_534).multipleOf(2).default(16_384).register(notes, {
    meaning: 'First port for media.',
    right: 'an even port, 1024 to 65534',
  }),
  rtpMax: integer(1025, 65_535).default(32_767).register(notes, {
    meaning: 'Last port for media. A call takes two: RTP and RTCP.',
    right: 'a port, 1025 to 65535, above `rtpMin`',
  }),
  dataDir: z.string().min(1).default('./data').register(notes, {
    meaning: 'Directory for recordings and keys, seen from the working directory.',
    right: 'a directory that can be written to, or made',
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
  rooms: z
    .array(room)
    .refine((rooms) => unique(rooms.map(({ name }) => name)))
    .default([{ name: 'demo', locked: false, muteOnEntry: false }])
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
  codecs: z
    .array(codec)
    .min(1)
    .refine(unique)
    .default([...codecNames])
    .register(notes, {
      meaning: 'Audio codecs that are used, the preferred one first.',
      right: 'one or more of opus, G722, PCMA, PCMU, separated by commas or as a list, none twice',
    }),
  opusComplexity: integer(0, 10).default(5).register(notes, {
    meaning: 'Effort of the Opus encoder: CPU time against sound.',
    right: 'a whole number from 0 to 10',
  }),
  rtpSilenceTimeoutSeconds: integer(1, 86_400).default(60).register(notes, {
    meaning: 'A caller who has sent no RTP and no RTCP for so long is hung up on.',
    right: 'a whole number of seconds from 1 to 86400',
  }),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info').register(notes, {
    meaning: 'The least that is logged.',
    right: 'one of trace, debug, info, warn, error, fatal, silent',
  }),
});

/** What the file, the environment and flags say, with fixed defaults filled in. */
export type GivenConfig = z.output<typeof configSchema>;
export type ConfigKey = keyof GivenConfig;

export interface ConfiguredRoom {
  name: string;
  maxParticipants: number;
  locked: boolean;
  muteOnEntry: boolean;
}

/** Everything known: what nobody gave was found. */
export interface Config extends Omit<GivenConfig, 'publicAddress' | 'domain' | 'maxCalls' | 'audioMixers' | 'rooms'> {
  publicAddress: string;
  domain: string;
  maxCalls: number;
  audioMixers: number;
  /** Absolute. */
  dataDir: string;
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

import { z } from 'zod';
import { RECORDING_FORMATS } from '../rooms/views.ts';
import { notes } from './notes.ts';

const KEY_OCTETS = 32;

/** 32 octets, as hexadecimal or base64; comes out as base64. */
const secretKey = z.string().transform((text, { addIssue }) => {
  const octets = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (octets.length !== KEY_OCTETS || !/^[\w+/-]+=*$/.test(text)) addIssue({ code: 'custom' });
  return octets.toString('base64');
});

const url = z.string().refine((text) => /^https?:\/\/[^\s]+$/i.test(text) && URL.canParse(text));
const atLeast0 = (max: number) => z.int().min(0).max(max);

/** The keys about recordings. */
export const recordingShape = {
  recordingMinFreeMb: atLeast0(1_000_000).default(500).register(notes, {
    meaning: 'With less than so much free on the disk, 10⁶ octets, no recording is started.',
    right: 'a whole number from 0 to 1000000',
  }),
  recordingFormats: z
    .array(z.enum(RECORDING_FORMATS))
    .refine((formats) => new Set(formats).size === formats.length)
    .default(['m4a'])
    .register(notes, {
      meaning:
        'What is made of every recording when it has ended; zip and tracks of those with tracks, poster and sheet of those with a picture. Others are made when they are asked for.',
      right: `any of ${RECORDING_FORMATS.join(', ')}, separated by commas or as a list, none twice`,
    }),
  recordingNormalize: z.boolean().default(false).register(notes, {
    meaning: 'Those are brought to a common loudness, −16 LUFS.',
    right: 'true or false',
  }),
  recordingKeepDays: atLeast0(36_500).default(0).register(notes, {
    meaning: 'How many days after its end a recording is removed, with its copies; 0: never.',
    right: 'a whole number of days from 0 to 36500',
  }),
  recordingKeepGb: z.number().min(0).max(1_000_000).default(0).register(notes, {
    meaning:
      'How much all recordings may take on this disk, 10⁹ octets: beyond it, the oldest are removed; 0: no limit.',
    right: 'a number from 0 to 1000000',
  }),
  recordingKey: secretKey.optional().register(notes, {
    meaning: 'Recordings are encrypted on the disk with this key (AES-256-GCM). Without it they cannot be read again.',
    right: '32 octets as 64 hexadecimal digits or in base64',
    otherwise: 'they are not',
    secret: true,
  }),
  recordingKeepLocal: z.boolean().default(true).register(notes, {
    meaning: 'What is stored elsewhere, in a folder or in S3, is kept on this disk, too.',
    right: 'true or false',
  }),
  recordingFolder: z.string().min(1).optional().register(notes, {
    meaning: 'Directory that gets a copy of every finished file, such as a share.',
    right: 'a directory that can be written to, or made, and no `recordingS3Bucket` with it',
    otherwise: 'none',
  }),
  recordingS3Bucket: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{1,254}$/)
    .optional()
    .register(notes, {
      meaning: 'Bucket of an S3-compatible store that gets a copy of every finished file.',
      right: "a bucket's name, and no `recordingFolder` with it",
      otherwise: 'none',
    }),
  recordingS3Endpoint: url.optional().register(notes, {
    meaning: 'Where that store is.',
    right: 'an address such as https://s3.example.com',
    otherwise: "Amazon's, by region",
  }),
  recordingS3Region: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .default('us-east-1')
    .register(notes, { meaning: 'Its region.', right: 'a name such as eu-central-1' }),
  recordingS3Prefix: z
    .string()
    .regex(/^[A-Za-z0-9._/-]*$/)
    .default('')
    .register(notes, {
      meaning: 'What all names in the bucket begin with, as a path.',
      right: 'letters, digits and "._-/", or nothing',
      otherwise: 'nothing',
    }),
  recordingS3PathStyle: z.boolean().default(true).register(notes, {
    meaning: "The bucket's name goes into the path, and not into the host's name.",
    right: 'true or false',
  }),
  recordingS3AccessKeyId: z.string().min(1).optional().register(notes, {
    meaning: 'Who we are there.',
    right: 'an access key id, and `recordingS3SecretAccessKey` with it',
    otherwise: "found where Amazon's client looks, such as in AWS_ACCESS_KEY_ID",
  }),
  recordingS3SecretAccessKey: z.string().min(1).optional().register(notes, {
    meaning: 'The secret that goes with it.',
    right: 'a secret access key, and `recordingS3AccessKeyId` with it',
    otherwise: 'as `recordingS3AccessKeyId`',
    secret: true,
  }),
};

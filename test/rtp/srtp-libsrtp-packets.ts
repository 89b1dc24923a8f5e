import type { SrtpSuite } from '../../mixer/protocol.ts';

/** RTP with a header extension, sequence number 0; secured below with rollover counter 1. */
export const PLAIN_RTP =
  '90600000000003e8cafebabebede000110a000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425';
export const PLAIN_RTCP = '81c90007cafebabe01020304000102030405060708090a0b0c0d0e0f10111213';

/** The master key and salt of each suite are the first octets of this. */
export const KEY_AND_SALT =
  '030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3eaf1f8ff060d141b222930373e';

/** What libsrtp 2.5.0 makes of them: the third RTP packet after ffff and fffe, and the first RTCP packet. */
export const SECURED: Record<SrtpSuite, { rtp: string; rtcp: string }> = {
  AES_CM_128_HMAC_SHA1_80: {
    rtp: '90600000000003e8cafebabebede000110a00000e9cca3bcb9bd1172183e28b968370ebd5a127e820b4f6d83c4d01accd49554c997d2843e13a4efeaa72eabb8c80597',
    rtcp: '81c90007cafebabe36495c798c72b6c4e15bbff7fd7750ac4e3f59d736e9c881800000010e0b8500015918efa079',
  },
  AES_CM_128_HMAC_SHA1_32: {
    rtp: '90600000000003e8cafebabebede000110a00000e9cca3bcb9bd1172183e28b968370ebd5a127e820b4f6d83c4d01accd49554c997d2843e13a4efeaa7',
    rtcp: '81c90007cafebabe36495c798c72b6c4e15bbff7fd7750ac4e3f59d736e9c881800000010e0b8500015918efa079',
  },
  AES_256_CM_HMAC_SHA1_80: {
    rtp: '90600000000003e8cafebabebede000110a0000071f3e4c8b9d2a77d42b8bbcaf06145fdffd7dd8b91bc78c428307b36227c8a82060b895f36deabb467f394ed6405a6',
    rtcp: '81c90007cafebabe6ed933ba81a3f7c7eb77e975d48340598ca38693c81cbe2c80000001f0b24c910f316cc72ce7',
  },
  AES_256_CM_HMAC_SHA1_32: {
    rtp: '90600000000003e8cafebabebede000110a0000071f3e4c8b9d2a77d42b8bbcaf06145fdffd7dd8b91bc78c428307b36227c8a82060b895f36deabb467',
    rtcp: '81c90007cafebabe6ed933ba81a3f7c7eb77e975d48340598ca38693c81cbe2c80000001f0b24c910f316cc72ce7',
  },
  AEAD_AES_128_GCM: {
    rtp: '90600000000003e8cafebabebede000110a000004935f170d944b4d64e58463dbf6d997e2b38d17249776d5164078ae53b98f3b8c3398f674dfa9fb48ea1d74f5801cd393e5a9975f7',
    rtcp: '81c90007cafebabee47a86507d5415def214ad40fb13f5e551764590d80cac2884ab6a43b6f68891d5884ff7f5b90c6180000001',
  },
  AEAD_AES_256_GCM: {
    rtp: '90600000000003e8cafebabebede000110a0000099e2662a5e2d8bc10aec1c231ae374bd858c4e5910353fd4c3f9e61c67f80c8ef2789d50a9864be6eddf21e1fe1e6c9f4fc62f714a',
    rtcp: '81c90007cafebabe0572412111c82b8c594ca8dbb67ce956b1bbba52aa7b00f566f79849c60ba97be4fc8d97a4472c8980000001',
  },
};

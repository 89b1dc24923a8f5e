import { describe, expect, test } from 'vitest';
import { AesGcmTransform } from '../../mixer/rtp/srtp-aes-gcm.ts';

const KEY = '000102030405060708090a0b0c0d0e0f';
const KEY_256 = `${KEY}101112131415161718191a1b1c1d1e1f`;
/** "Quid pro quo". */
const SALT = '517569642070726f2071756f';

/** The RFC gives session keys, and the same ones for RTP and RTCP. */
function transformOf(key: string): AesGcmTransform {
  const keys = {
    encryptionKey: Buffer.from(key, 'hex'),
    salt: Buffer.from(SALT, 'hex'),
    authenticationKey: new Uint8Array(),
  };
  return new AesGcmTransform(keys, keys);
}

function inBuffer(hex: string): { packet: Buffer; length: number } {
  const packet = Buffer.alloc(200);
  return { packet, length: packet.write(hex, 'hex') };
}

describe('RFC 7714 §16, SRTP', () => {
  const RTP = '8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573';

  test.each([
    [
      '§16.1, AEAD_AES_128_GCM',
      KEY,
      '8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
    ],
    [
      '§16.2, AEAD_AES_256_GCM',
      KEY_256,
      '8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13',
    ],
  ])('%s', (_, key, secured) => {
    const transform = transformOf(key);
    const { packet, length } = inBuffer(RTP);
    const sealedLength = transform.sealRtp(packet, 12, length, 0);
    expect(packet.toString('hex', 0, sealedLength)).toBe(secured);
    expect(transform.openRtp(packet, 12, sealedLength, 0)).toBe(length);
    expect(packet.toString('hex', 0, length)).toBe(RTP);
  });
});

describe('RFC 7714 §17, SRTCP with index 5d4', () => {
  const RTCP =
    '81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef';

  test.each([
    [
      '§17.1, AEAD_AES_128_GCM',
      KEY,
      '81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4',
    ],
    [
      '§17.2, AEAD_AES_256_GCM',
      KEY_256,
      '81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4',
    ],
  ])('%s', (_, key, secured) => {
    const transform = transformOf(key);
    const { packet, length } = inBuffer(RTCP);
    const sealedLength = transform.sealRtcp(packet, length, 0x5d4);
    expect(packet.toString('hex', 0, sealedLength)).toBe(secured);
    expect(transform.openRtcp(packet, sealedLength)).toBe(length);
    expect(packet.toString('hex', 0, length)).toBe(RTCP);
  });

  test.each([
    ['§17.3, AEAD_AES_128_GCM', KEY, '841dd9683dd78ec92ae58790125f62b3'],
    ['§17.4, AEAD_AES_256_GCM', KEY_256, '91db4afbfeee5a978fab4393ed2615fe'],
  ])('%s, authenticated only', (_, key, tag) => {
    const { packet, length } = inBuffer(`${RTCP}${tag}000005d4`);
    expect(transformOf(key).openRtcp(packet, length)).toBe(RTCP.length / 2);
    expect(packet.toString('hex', 0, RTCP.length / 2)).toBe(RTCP);
    packet[20]! ^= 1;
    expect(transformOf(key).openRtcp(packet, length)).toBe(-1);
  });
});

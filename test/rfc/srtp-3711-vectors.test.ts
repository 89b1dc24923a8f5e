import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AesCounterMode } from '../../mixer/rtp/srtp-aes-cm.ts';
import { HmacSha1 } from '../../mixer/rtp/srtp-hmac-sha1.ts';
import { deriveKey } from '../../mixer/rtp/srtp-key-derivation.ts';

const octets = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

function keyStream(key: string, salt: string, length: number): string {
  const packet = new Uint8Array(length);
  new AesCounterMode(octets(key), octets(salt)).apply(packet, 0, length, 0, 0, 0);
  return hex(packet);
}

const SALT = 'f0f1f2f3f4f5f6f7f8f9fafbfcfd';

describe('RFC 3711 appendix B.2, AES-CM', () => {
  const key = '2b7e151628aed2a6abf7158809cf4f3c';

  test('the key stream of a packet begins as it should', () => {
    expect(keyStream(key, SALT, 48)).toBe(
      'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
    );
  });

  test('the pseudo-random function goes on with it to its end, beyond what a packet holds', () => {
    const segment = deriveKey(octets(key), octets(SALT), 0, 1044512);
    expect(hex(segment.subarray(-48))).toBe(
      'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44',
    );
  });
});

describe('RFC 3711 appendix B.3, key derivation', () => {
  test.each([
    ['the cipher key', 0, 'c61e7a93744f39ee10734afe3ff7a087'],
    ['the cipher salt', 2, '30cbbc08863d8c85d49db34a9ae1'],
    [
      'the authentication key',
      1,
      'cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2',
    ],
  ])('%s', (_, label, expected) => {
    const masterKey = octets('e1f97a0d3e018be0d64fa32c06de4139');
    const masterSalt = octets('0ec675ad498afeebb6960b3aabe6');
    expect(hex(deriveKey(masterKey, masterSalt, label, expected.length / 2))).toBe(expected);
  });
});

describe('RFC 6188, 256-bit keys', () => {
  test('§7.1: AES-256-CM', () => {
    const key = '57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98';
    expect(keyStream(key, SALT, 48)).toBe(
      '92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d88421b563b8c94c9a31',
    );
  });

  test.each([
    ['the cipher key', 0, '5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4'],
    ['the cipher salt', 2, 'fa31791685ca444a9e07c6c64e93'],
    ['the authentication key', 1, 'fd9c32d39ed5fbb5a9dc96b30818454d1313dc05'],
  ])('§7.2: %s', (_, label, expected) => {
    const masterKey = octets('f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6');
    const masterSalt = octets('3b04803de51ee7c96423ab5b78d2');
    expect(hex(deriveKey(masterKey, masterSalt, label, expected.length / 2))).toBe(expected);
  });
});

describe('HMAC-SHA1 of our own', () => {
  test.each([
    ['0b'.repeat(20), Buffer.from('Hi There'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
    [hex(Buffer.from('Jefe')), Buffer.from('what do ya want for nothing?'), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
    ['aa'.repeat(20), Buffer.alloc(50, 0xdd), '125d7342b9ac11cd91a39af48aa17b4f63f175d3'],
    [
      'aa'.repeat(80),
      Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First'),
      'aa4ae5e15272d00e95705637ce8a3b55ed402112',
    ],
  ])('gives what RFC 2202 has for key %s', (key, message, expected) => {
    const hmac = new HmacSha1(octets(key));
    hmac.compute(message, message.length, -1);
    expect(hex(hmac.mac)).toBe(expected);
  });

  test('agrees with node:crypto for every length, with and without a rollover counter', () => {
    const key = octets('00112233445566778899aabbccddeeff01234567');
    const hmac = new HmacSha1(key);
    const data = Buffer.from(Array.from({ length: 400 }, (_, index) => (index * 37) & 0xff));
    const roc = octets('fedcba98');
    for (let length = 0; length <= data.length; length++) {
      const message = data.subarray(0, length);
      hmac.compute(data, length, -1);
      expect(hex(hmac.mac), `${length}`).toBe(createHmac('sha1', key).update(message).digest('hex'));
      hmac.compute(data, length, 0xfedcba98);
      expect(hex(hmac.mac), `${length}`).toBe(createHmac('sha1', key).update(message).update(roc).digest('hex'));
    }
  });
});

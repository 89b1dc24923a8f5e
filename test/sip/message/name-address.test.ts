import { describe, expect, it } from 'vitest';
import { parseNameAddress, writeNameAddress } from '../../../server/sip/message/name-address.ts';

describe('an address with or without a name (RFC 3261 §20.10)', () => {
  it.each([
    ['"A. G. Bell" <sip:agb@bell-telephone.com> ;tag=a48s', 'A. G. Bell', 'sip:agb@bell-telephone.com', 'a48s'],
    ['sip:+12125551212@server.phone2net.com;tag=887s', null, 'sip:+12125551212@server.phone2net.com', '887s'],
    ['Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8', 'Anonymous', 'sip:c8oqz84zk7z@privacy.org', 'hyh8'],
    ['<sip:a@b;lr>;tag="x;y"', null, 'sip:a@b;lr', 'x;y'],
    ['"" <sip:a@b>', '', 'sip:a@b', undefined],
    ['"say \\"hi\\" \\\\ <x>, y;z" <sip:a@b>', 'say "hi" \\ <x>, y;z', 'sip:a@b', undefined],
    ['T. A. Watson<sip:a@b>', 'T. A. Watson', 'sip:a@b', undefined],
    ['Jürgen (Büro) <sip:a@b>', 'Jürgen (Büro)', 'sip:a@b', undefined],
    ['<tel:+1-201-555-0123>', null, 'tel:+1-201-555-0123', undefined],
    ['\t<sip:a@b> \t;\ttag\t=\tx ', null, 'sip:a@b', 'x'],
  ])('%s', (text, displayName, uriText, tag) => {
    const address = parseNameAddress(text);
    expect(address).toMatchObject({ displayName, uriText });
    expect(address?.parameters.get('tag')).toBe(tag);
  });

  it('without brackets parameters are the header field’s, within them the URI’s', () => {
    expect(parseNameAddress('sip:a@b;transport=tcp')?.uri?.parameters.size).toBe(0);
    expect(parseNameAddress('<sip:a@b;transport=tcp>')?.uri?.parameters.get('transport')).toBe('tcp');
  });
});

describe('what is no address is refused', () => {
  it.each([
    '',
    '<>',
    'sip:a@b?x=y',
    'sip:a@b, sip:c@d',
    '"open <sip:a@b>',
    '"name" sip:a@b',
    'Bell, Alexander <sip:a@b>',
    '< sip:a@b >',
    '<sip:a@b',
    '<sip:a@b> x',
    '<sip:a@b>;',
    '<sip:a@b>;=x',
    '<sip:a@b>;tag=',
    '<sip:a@b>;tag="x',
    '<sip:a b>',
    '<nonsense>',
    '<sip:>',
  ])('%s', (text) => {
    expect(parseNameAddress(text)).toBeNull();
  });
});

describe('an address is written', () => {
  it('with what needs it in quotes, and is read as the same', () => {
    const address = {
      ...parseNameAddress('<sip:a@b>')!,
      displayName: 'Ann "the \\ boss", Ü; <x>',
      parameters: new Map([
        ['tag', 'abc'],
        ['text', 'a "b" c'],
        ['flag', ''],
      ]),
    };
    expect(parseNameAddress(writeNameAddress(address))).toEqual(address);
  });

  it('without letting a name end the line', () => {
    const address = { ...parseNameAddress('<sip:a@b>')!, displayName: 'x"\r\nInjected: y' };
    expect(writeNameAddress(address)).toBe('"x\\"  Injected: y" <sip:a@b>');
  });
});

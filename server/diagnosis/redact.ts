const HIDDEN = '(hidden)';

/** Header fields with credentials, whose scheme alone is shown. */
const CREDENTIALS = /^((?:proxy-)?authorization[ \t]*:[ \t]*\S+)[^\r\n]*(?:\r\n[ \t][^\r\n]*)*/gim;
/** The PIN that comes with a call (docs/rooms.md), which may be folded. */
const PIN_FIELDS = /^(parley-pin[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/gim;
/**
 * `pin=` of a URI, in the Request-URI and wherever else one stands, and `Parley-Pin=` of its headers; also escaped, in the
 * headers of a URI.
 */
const PINS = /([;?&,]|%(?:3b|3f|26))((?:parley(?:-|%2d))?pin(?:=|%3d))(?:[^;?&@>,"\s%]|%3\d)*/gi;
/** The password of a URI (RFC 3261 §19.1.1). */
const URI_PASSWORDS = /(sips?(?::|%3a)[^\s@:;<>"]*):[^\s@<>"]*@/gi;

/** Lines of SDP with keys or passwords (RFC 4568, RFC 4567, RFC 8839), and `k=` (RFC 8866 §5.12). */
const SDP_SECRETS = [
  /^(a=crypto:[^\r\n]*?inline:)([^\r\n|; ]+)/gim,
  /(;inline:)([^\r\n|; ]+)/gim,
  /^(a=key-mgmt:\S+ )([^\r\n]+)/gim,
  /^(a=ice-pwd:)([^\r\n]+)/gim,
  /^(k=\w+:?)([^\r\n]*)/gim,
];
/** A request in a body (RFC 3420) has its fields there. */
const FRAGMENT_PINS = /^(parley-pin[ \t]*:[ \t]*)([^\r\n]+)/gim;
/** A key of a PIN, told by INFO. */
const RELAYED_KEYS = /^(signal[ \t]*=[ \t]*)([^\r\n]+)/gim;
const KEY_BODY = /^(?:content-type|c)[ \t]*:[ \t]*application\/dtmf[ \t]*(?:;[^\r\n]*)?$/im;

/**
 * A SIP message without credentials, keys, PINs and pressed keys. Its body stays as long as it was, so that Content-Length
 * is still right.
 *
 * @param text the message as on the wire
 */
export function redact(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const body = end < 0 ? '' : text.slice(end);
  const shownHead = head
    .replace(CREDENTIALS, `$1 ${HIDDEN}`)
    .replace(PIN_FIELDS, `$1 ${HIDDEN}`)
    .replace(URI_PASSWORDS, `$1:${HIDDEN}@`);
  return hidePins(shownHead) + redactBody(body, KEY_BODY.test(head));
}

/** A URI, or a text with URIs in it, without PINs. */
export function hidePins(text: string): string {
  return text.replace(PINS, `$1$2${HIDDEN}`);
}

function redactBody(body: string, isKey: boolean): string {
  if (body.length <= 4) return body;
  if (isKey) return body.replace(/[^\r\n]/g, 'x');
  let shown = body.replace(RELAYED_KEYS, masked).replace(FRAGMENT_PINS, masked);
  for (const secret of SDP_SECRETS) shown = shown.replace(secret, masked);
  return shown;
}

const masked = (_whole: string, before: string, secret: string) => before + 'x'.repeat(secret.length);

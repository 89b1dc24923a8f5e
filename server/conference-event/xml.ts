/** XML 1.0 text, made of elements that are texts already. Whatever comes from outside goes through `text` or an attribute. */

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Also white space that an attribute would lose. */
const TO_ESCAPE = /[&<>"\t\n\r]/g;
/** What no XML document may have, not even escaped (XML 1.0 §2.2): control characters, lone surrogates, non-characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const NOT_ALLOWED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/gu;

/** Character data; what XML cannot say becomes U+FFFD. */
export function text(value: string): string {
  return value
    .replace(NOT_ALLOWED, '\ufffd')
    .replace(TO_ESCAPE, (character) => ESCAPES[character] ?? `&#${character.charCodeAt(0)};`);
}

/** @param attributes those that are null are left out */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | boolean | null>>,
  ...children: readonly string[]
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([attribute, value]) => ` ${attribute}="${text(String(value))}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** An element of nothing but text. */
export function textElement(name: string, value: string | number | boolean): string {
  return element(name, {}, text(String(value)));
}

/** As `xs:anyURI` wants it: what no SIP or tel URI may have is escaped (RFC 3986 §2.1). */
export function uriText(uri: string): string {
  return uri
    .replace(NOT_ALLOWED, '\ufffd')
    .replace(/%(?![0-9a-f]{2})/gi, '%25')
    .replace(/[^A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]/gu, encodeURIComponent);
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

const unescaped = (text: string): string =>
  text
    .replace(/&#(\d+);/g, (_whole, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&');

/** Reads XML as strictly as these tests need it: throws where it is not well-formed. Has no comments, CDATA or entities. */
export function readXml(document: string): XmlElement {
  const body = document.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '').trimEnd();
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const piece = /<(\/?)([\w:.-]+)((?: [\w:.-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  let at = 0;
  for (const match of body.matchAll(piece)) {
    if (match.index !== at) break;
    at += match[0].length;
    const [, closes, name = '', attributes = '', empty, text] = match;
    const parent = open.at(-1)!;
    if (text !== undefined) {
      if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(text)) throw new Error(`a bare & in ${text}`);
      parent.text += unescaped(text);
    } else if (closes === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes something else`);
    } else {
      const pairs = [...attributes.matchAll(/ ([\w:.-]+)="([^"]*)"/g)];
      const element = {
        name,
        attributes: Object.fromEntries(pairs.map(([, key, value]) => [key, unescaped(value ?? '')])),
        children: [],
        text: '',
      };
      parent.children.push(element);
      if (empty !== '/') open.push(element);
    }
  }
  if (at !== body.length) throw new Error(`not well-formed at: ${body.slice(at, at + 60)}`);
  if (open.length !== 1 || root.children.length !== 1) throw new Error('not one element');
  return root.children[0]!;
}

export function child(element: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>(
    (found, name) => found?.children.find((candidate) => candidate.name === name),
    element,
  );
}

export function childText(element: XmlElement | undefined, ...path: string[]): string | undefined {
  return child(element, ...path)?.text;
}

/** What a subscriber knows, by the rules of RFC 4575 §4.6. */
export class KnownConference {
  version = -1;
  roomVersion = -1;
  state: XmlElement | undefined;
  description: XmlElement | undefined;
  readonly users = new Map<string, XmlElement>();

  /** Throws when the document does not follow the one before. */
  take(document: string): 'full' | 'partial' {
    const info = readXml(document);
    const version = Number(info.attributes['version']);
    if (version !== this.version + 1) throw new Error(`version ${version} after ${this.version}`);
    this.version = version;
    const whole = info.attributes['state'] === 'full';
    if (whole) this.users.clear();
    this.description = child(info, 'conference-description') ?? this.description;
    this.state = child(info, 'conference-state');
    this.roomVersion = Number(childText(this.state, 'p:room-version'));
    const users = child(info, 'users');
    if (users !== undefined && users.attributes['state'] !== (whole ? 'full' : 'partial')) throw new Error('users');
    for (const user of users?.children ?? []) {
      const entity = user.attributes['entity']!;
      if (user.attributes['state'] === 'deleted') {
        // Who came and went between two documents was never told of.
        this.users.delete(entity);
      } else this.users.set(entity, user);
    }
    return whole ? 'full' : 'partial';
  }

  /** Attributes of our own, which say what HTTP says; by the participant's id. */
  get participants(): Map<string, Record<string, string>> {
    const endpoints = [...this.users.values()].flatMap(({ children }) =>
      children.filter(({ name }) => name === 'endpoint'),
    );
    return new Map(
      endpoints.map((endpoint) => {
        const { attributes } = child(endpoint, 'p:participant')!;
        return [attributes['id']!, attributes];
      }),
    );
  }
}

const SCHEMA = fileURLToPath(new URL('conference-info.xsd', import.meta.url));

/** What xmllint has to say of documents that the schema of RFC 4575 does not allow; '' when it allows all. */
export function schemaErrors(documents: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-xml-'));
  const files = documents.map((_document, index) => join(folder, `${index}.xml`));
  for (const [index, file] of files.entries()) writeFileSync(file, documents[index]!);
  const { status, stderr } = spawnSync('xmllint', ['--nonet', '--noout', '--schema', SCHEMA, ...files], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true, force: true });
  return status === 0 ? '' : stderr;
}

/** Media control by INFO (RFC 5168): a picture is to be sent anew. For phones that take no RTCP feedback. */

export const MEDIA_CONTROL_TYPE = 'application/media_control+xml';

/** RFC 5168 §4, without streams: all that there are. */
export const FAST_UPDATE = [
  '<?xml version="1.0" encoding="utf-8"?>',
  '<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>',
  '',
].join('\r\n');

/** Whether the document asks for a picture; others report errors, of which there is nothing to do. */
export function isFastUpdate(text: string): boolean {
  return /<(?:[\w.-]+:)?picture_fast_update(?:\s[^>]*)?\/?>/.test(text);
}

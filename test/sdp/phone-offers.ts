import type { AudioMedia } from '../../mixer/protocol.ts';

/** What a make of phone, client or trunk offers, and what it shall get. */
export interface PhoneOffer {
  from: string;
  offer: string;
  expected: ExpectedAnswer | { warning: number };
}

export interface ExpectedAnswer {
  /** All `m=` lines of the answer. */
  streams: string[];
  /** Codec and payload type that we send. */
  send: string;
  sendPtimeMs: number;
  direction: AudioMedia['direction'];
  /** Payload type and clock. */
  telephoneEvent: string | null;
  /** Address, RTP port, RTCP port. */
  remote: string | null;
  rtcpMux: boolean;
}

/** Ours in all of these: 203.0.113.10, RTP on 20000. */
export const PHONE_OFFERS: PhoneOffer[] = [
  {
    from: 'Linphone, which offers Opus and telephone-event for both clocks, and AVPF with XR in the session',
    offer: `v=0
o=alice 3172 2045 IN IP4 192.0.2.21
s=Talk
c=IN IP4 192.0.2.21
t=0 0
a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
a=record:off
m=audio 7078 RTP/AVPF 96 97 98 0 8 18 101 99 100
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:97 speex/16000
a=fmtp:97 vbr=on
a=rtpmap:98 speex/8000
a=fmtp:98 vbr=on
a=fmtp:18 annexb=yes
a=rtpmap:101 telephone-event/48000
a=rtpmap:99 telephone-event/16000
a=rtpmap:100 telephone-event/8000
a=rtcp-fb:* trr-int 1000
a=rtcp-fb:* ccm tmmbr
m=video 9078 RTP/AVPF 96 97
a=rtpmap:96 VP8/90000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42801F
a=rtcp-fb:* trr-int 5000
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVPF 96 8 0 101', 'm=video 0 RTP/AVPF 96 97'],
      send: 'opus/96',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/48000',
      remote: '192.0.2.21 7078 7079',
      rtcpMux: false,
    },
  },
  {
    from: 'baresip, which offers Opus with telephone-event/8000 only, rtcp-mux and labels',
    offer: `v=0
o=- 1815849110 1483256094 IN IP4 192.0.2.22
s=-
c=IN IP4 192.0.2.22
t=0 0
a=tool:baresip 3.16.0
m=audio 10114 RTP/AVP 96 9 8 0 101
a=rtpmap:96 opus/48000/2
a=fmtp:96 stereo=1;sprop-stereo=1;maxaveragebitrate=28000;useinbandfec=1
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtcp:10115
a=sendrecv
a=label:1
a=rtcp-rsize
a=rtcp-mux
a=ssrc:2963104433 cname:sip:bob@example.com
a=ptime:20
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 96 9 8 0 101'],
      send: 'opus/96',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.22 10114 10114',
      rtcpMux: true,
    },
  },
  {
    from: 'Zoiper, which lists telephone-event among the codecs and gives no packet time',
    offer: `v=0
o=Z 1699363720042 1 IN IP4 198.51.100.40
s=Z
c=IN IP4 198.51.100.40
t=0 0
m=audio 56218 RTP/AVP 106 9 98 101 0 8 3
a=rtpmap:106 opus/48000/2
a=fmtp:106 sprop-maxcapturerate=16000; minptime=20; useinbandfec=1
a=rtpmap:98 telephone-event/48000
a=fmtp:98 0-16
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=sendrecv
a=rtcp-mux
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 106 9 8 0 98'],
      send: 'opus/106',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '98/48000',
      remote: '198.51.100.40 56218 56218',
      rtcpMux: true,
    },
  },
  {
    from: 'Cisco SPA504G, with NSE, G.726 under several names and ptime 30',
    offer: `v=0
o=- 4557 4557 IN IP4 192.0.2.50
s=-
c=IN IP4 192.0.2.50
t=0 0
m=audio 16438 RTP/AVP 0 2 4 8 18 96 97 98 100 101
a=rtpmap:0 PCMU/8000
a=rtpmap:2 G726-32/8000
a=rtpmap:4 G723/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:18 G729a/8000
a=rtpmap:96 G726-40/8000
a=rtpmap:97 G726-24/8000
a=rtpmap:98 G726-16/8000
a=rtpmap:100 NSE/8000
a=fmtp:100 192-193
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:30
a=sendrecv
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 8 0 101'],
      send: 'PCMA/8',
      sendPtimeMs: 30,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.50 16438 16439',
      rtcpMux: false,
    },
  },
  {
    from: 'Cisco 7960, with SIP UA in s= and the address at the session',
    offer: `v=0
o=Cisco-SIPUA 17045 0 IN IP4 192.0.2.60
s=SIP Call
c=IN IP4 192.0.2.60
t=0 0
m=audio 29118 RTP/AVP 0 8 18 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 8 0 101'],
      send: 'PCMA/8',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.60 29118 29119',
      rtcpMux: false,
    },
  },
  {
    from: 'Polycom VVX, with sendrecv at the session, Siren codecs and telephone-event 127',
    offer: `v=0
o=- 1699362201 1699362201 IN IP4 192.0.2.70
s=Polycom IP Phone
c=IN IP4 192.0.2.70
b=AS:512
t=0 0
a=sendrecv
m=audio 2252 RTP/AVP 9 102 0 8 18 127
a=rtpmap:9 G722/8000
a=rtpmap:102 G7221/16000
a=fmtp:102 bitrate=32000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:127 telephone-event/8000
m=video 2254 RTP/AVP 109 34
b=TIAS:448000
a=rtpmap:109 H264/90000
a=fmtp:109 profile-level-id=42800d
a=rtpmap:34 H263/90000
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 9 8 0 127', 'm=video 0 RTP/AVP 109 34'],
      send: 'G722/9',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '127/8000',
      remote: '192.0.2.70 2252 2253',
      rtcpMux: false,
    },
  },
  {
    from: 'Yealink T46, with Opus listed last',
    offer: `v=0
o=- 20032 20032 IN IP4 192.0.2.80
s=SDP data
c=IN IP4 192.0.2.80
t=0 0
m=audio 11780 RTP/AVP 9 0 8 18 107 101
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:107 opus/48000/2
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 107 9 8 0 101'],
      send: 'opus/107',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.80 11780 11781',
      rtcpMux: false,
    },
  },
  {
    from: 'Snom D785, with SRTP keys as an option on a plain RTP/AVP line',
    offer: `v=0
o=root 912345678 912345678 IN IP4 192.0.2.90
s=call
c=IN IP4 192.0.2.90
t=0 0
m=audio 63204 RTP/AVP 9 8 0 3 99 112 18 101
a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:3 GSM/8000
a=rtpmap:99 G726-32/8000
a=rtpmap:112 AAL2-G726-32/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 9 8 0 101'],
      send: 'G722/9',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.90 63204 63205',
      rtcpMux: false,
    },
  },
  {
    from: 'Snom set to optional SRTP: a secured stream, then the same one plain',
    offer: `v=0
o=root 512 512 IN IP4 192.0.2.91
s=call
c=IN IP4 192.0.2.91
t=0 0
m=audio 60000 RTP/SAVP 9 8 0 101
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz
a=rtpmap:101 telephone-event/8000
m=audio 60002 RTP/AVP 9 8 0 101
a=rtpmap:101 telephone-event/8000
`,
    expected: {
      streams: ['m=audio 0 RTP/SAVP 9 8 0 101', 'm=audio 20000 RTP/AVP 9 8 0 101'],
      send: 'G722/9',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.91 60002 60003',
      rtcpMux: false,
    },
  },
  {
    from: 'Grandstream GXP, with Opus 123 and a=ptime before the maps',
    offer: `v=0
o=1001 8000 8000 IN IP4 192.0.2.100
s=SIP Call
c=IN IP4 192.0.2.100
t=0 0
m=audio 5004 RTP/AVP 0 8 18 9 97 123 101
a=sendrecv
a=rtpmap:0 PCMU/8000
a=ptime:20
a=rtpmap:8 PCMA/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:9 G722/8000
a=rtpmap:97 iLBC/8000
a=fmtp:97 mode=20
a=rtpmap:123 opus/48000/2
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 123 9 8 0 101'],
      send: 'opus/123',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.100 5004 5005',
      rtcpMux: false,
    },
  },
  {
    from: 'AVM FRITZ!Box, with a=rtcp, G.726 and telephone-event in the middle',
    offer: `v=0
o=user 6542374 6542374 IN IP4 192.0.2.110
s=-
c=IN IP4 192.0.2.110
t=0 0
m=audio 7082 RTP/AVP 9 8 0 2 102 100 99 101 97 120 121
a=sendrecv
a=rtpmap:2 G726-32/8000
a=rtpmap:102 G726-32/8000
a=rtpmap:100 G726-40/8000
a=rtpmap:99 G726-24/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtpmap:97 iLBC/8000
a=fmtp:97 mode=30
a=rtpmap:120 PCMA/16000
a=rtpmap:121 PCMU/16000
a=rtcp:7083
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 9 8 0 101'],
      send: 'G722/9',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.110 7082 7083',
      rtcpMux: false,
    },
  },
  {
    from: 'Asterisk, with maxptime 150',
    offer: `v=0
o=- 1130247012 1130247012 IN IP4 192.0.2.120
s=Asterisk
c=IN IP4 192.0.2.120
t=0 0
m=audio 14286 RTP/AVP 0 8 9 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:9 G722/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=maxptime:150
a=sendrecv
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 9 8 0 101'],
      send: 'G722/9',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '192.0.2.120 14286 14287',
      rtcpMux: false,
    },
  },
  {
    from: 'FreeSWITCH, with comfort noise and two telephone-events',
    offer: `v=0
o=FreeSWITCH 1699340216 1699340217 IN IP4 192.0.2.130
s=FreeSWITCH
c=IN IP4 192.0.2.130
t=0 0
m=audio 24514 RTP/AVP 102 9 0 8 103 101 13
a=rtpmap:102 opus/48000/2
a=fmtp:102 useinbandfec=1; maxaveragebitrate=30000; maxplaybackrate=48000; ptime=20; minptime=10; maxptime=40
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:103 telephone-event/48000
a=fmtp:103 0-15
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtpmap:13 CN/8000
a=ptime:20
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 102 9 8 0 103'],
      send: 'opus/102',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '103/48000',
      remote: '192.0.2.130 24514 24515',
      rtcpMux: false,
    },
  },
  {
    from: 'a trunk of the Twilio or Telnyx kind, whose media comes from another address than its session says',
    offer: `v=0
o=root 1834427211 1834427211 IN IP4 198.51.100.77
s=SBC call
c=IN IP4 198.51.100.77
t=0 0
m=audio 16842 RTP/AVP 0 8 101
c=IN IP4 198.51.100.99
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=maxptime:150
a=sendrecv
a=rtcp:16843 IN IP4 198.51.100.99
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 8 0 101'],
      send: 'PCMA/8',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '198.51.100.99 16842 16843',
      rtcpMux: false,
    },
  },
  {
    from: 'Chrome over WebRTC, which takes DTLS-SRTP only',
    offer: `v=0
o=- 4962303333179871722 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS stream
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:ETEn
a=ice-pwd:OtSK0WpNtpUjkY4+86js7ZQl
a=ice-options:trickle
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
`,
    expected: { warning: 302 },
  },
  {
    from: 'a Teams-like server that insists upon SRTP',
    offer: `v=0
o=- 51 0 IN IP4 198.51.100.200
s=session
c=IN IP4 198.51.100.200
b=CT:10000000
t=0 0
m=audio 51240 RTP/SAVP 104 9 111 18 0 8 97 101 13 118
a=rtcp:51241
a=ice-ufrag:Jb1Y
a=ice-pwd:jlI3mYf5hbYRTxWhfOWNkOyY
a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:5p5w8mXrPpMUzf3ScIQqkVAWCg5MnVwVSb5D9sfs|2^31
a=rtpmap:104 SILK/16000
a=rtpmap:9 G722/8000
a=rtpmap:111 SIREN/16000
a=fmtp:111 bitrate=16000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:97 RED/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=rtpmap:13 CN/8000
a=rtpmap:118 CN/16000
a=ptime:20
`,
    expected: { warning: 302 },
  },
  {
    from: 'a Teams-like server after its border controller has taken SRTP off',
    offer: `v=0
o=- 51 0 IN IP4 198.51.100.201
s=session
c=IN IP4 198.51.100.201
b=CT:10000000
t=0 0
m=audio 51240 RTP/AVP 104 9 111 0 8 101 13 118
a=rtcp:51241
a=rtpmap:104 SILK/16000
a=rtpmap:9 G722/8000
a=rtpmap:111 SIREN/16000
a=fmtp:111 bitrate=16000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=rtpmap:13 CN/8000
a=rtpmap:118 CN/16000
a=ptime:20
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 9 8 0 101'],
      send: 'G722/9',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: '101/8000',
      remote: '198.51.100.201 51240 51241',
      rtcpMux: false,
    },
  },
  {
    from: 'a gateway that offers G.729 and a fax',
    offer: `v=0
o=gw 1 1 IN IP4 192.0.2.140
s=-
c=IN IP4 192.0.2.140
t=0 0
m=audio 18000 RTP/AVP 18 101
a=rtpmap:18 G729/8000
a=rtpmap:101 telephone-event/8000
m=image 18002 udptl t38
a=T38FaxVersion:0
`,
    expected: { warning: 305 },
  },
  {
    from: 'a fax machine, without any audio',
    offer: `v=0
o=fax 1 1 IN IP4 192.0.2.141
s=-
c=IN IP4 192.0.2.141
t=0 0
m=image 18002 udptl t38
a=T38FaxVersion:0
`,
    expected: { warning: 304 },
  },
  {
    from: 'a phone on a host with IPv6 that called us over IPv4',
    offer: `v=0
o=six 1 1 IN IP6 2001:db8::6
s=-
c=IN IP6 2001:db8::6
t=0 0
m=audio 18000 RTP/AVP 0
`,
    expected: {
      streams: ['m=audio 20000 RTP/AVP 0'],
      send: 'PCMU/0',
      sendPtimeMs: 20,
      direction: 'sendrecv',
      telephoneEvent: null,
      remote: null,
      rtcpMux: false,
    },
  },
];

/** What makes of phones, room systems and programs offer with video, and what they shall get. */
export interface VideoPhoneOffer {
  from: string;
  offer: string;
  /** All `m=` lines of the answer. */
  streams: string[];
  main: ExpectedVideo | null;
  slides: ExpectedVideo | null;
}

export interface ExpectedVideo {
  /** Codec and payload type that we send; of H.264 with mode and profile-level-id of theirs. */
  send: string;
  /** Payload types that we take, with the parameters that we answer. */
  receive: Record<number, string>;
  /** Area in luma samples, macroblocks a second, pictures a second, bits a second. */
  limits: [maxPixels: number, maxMbps: number, maxFps: number, maxBitrateBps: number | null];
  /** What may be asked for in RTCP. */
  feedback: string;
}

const HD = 1280 * 720;

/** Ours in all of these: 203.0.113.10, sound on 20000, video on 20002, slides on 20004; floor control on 5070. */
export const VIDEO_PHONE_OFFERS: VideoPhoneOffer[] = [
  {
    from: 'baresip 1.0 with FFmpeg, mode 0 first, feedback on RTP/AVP, and a picture rate',
    offer: `v=0
o=- 2646644843 891982033 IN IP4 192.0.2.2
s=-
c=IN IP4 192.0.2.2
t=0 0
a=tool:baresip 1.0.0
m=audio 8464 RTP/AVP 0 8 96 101
a=rtpmap:96 opus/48000/2
a=fmtp:96 stereo=1;sprop-stereo=1
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=label:1
a=rtcp-rsize
a=ptime:20
m=video 26184 RTP/AVP 96 97 34 98 99 100
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=0;profile-level-id=42e01f
a=rtpmap:97 H264/90000
a=fmtp:97 packetization-mode=1;profile-level-id=42e01f
a=rtpmap:34 H263/90000
a=fmtp:34 CIF=1;CIF4=1
a=rtpmap:98 MP4V-ES/90000
a=fmtp:98 profile-level-id=3
a=rtpmap:99 H265/90000
a=fmtp:99 profile-id=1
a=rtpmap:100 VP8/90000
a=fmtp:100 max-fs=3600
a=sendrecv
a=label:2
a=rtcp-rsize
a=framerate:25.00
a=rtcp-fb:* nack pli
a=content:main
`,
    streams: ['m=audio 20000 RTP/AVP 96 8 0 101', 'm=video 20002 RTP/AVP 97 96 100'],
    main: {
      send: 'H264/97 1 42e01f',
      receive: {
        97: 'profile-level-id=42e01f;packetization-mode=1',
        96: 'profile-level-id=42e01f;packetization-mode=0',
        100: 'max-fr=30;max-fs=3600',
      },
      limits: [HD, 108_000, 25, 14_000_000],
      feedback: 'pli',
    },
    slides: null,
  },
  {
    from: 'Linphone 5.1 on RTP/AVPF: baseline without a mode, feedback for each format, a limit for the session',
    offer: `v=0
o=a 74 1926 IN IP4 192.0.2.2
s=Talk
c=IN IP4 192.0.2.2
b=AS:2000
t=0 0
m=audio 60178 RTP/AVPF 96 0 99
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:99 telephone-event/48000
a=rtcp:45599
a=rtcp-fb:* trr-int 5000
a=rtcp-fb:* ccm tmmbr
m=video 39028 RTP/AVPF 96 97
a=rtpmap:96 VP8/90000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42801F
a=rtcp:45272
a=rtcp-fb:* trr-int 5000
a=rtcp-fb:* ccm tmmbr
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 nack sli
a=rtcp-fb:96 ack rpsi
a=rtcp-fb:96 ccm fir
a=rtcp-fb:97 nack pli
a=rtcp-fb:97 ccm fir
`,
    streams: ['m=audio 20000 RTP/AVPF 96 0 99', 'm=video 20002 RTP/AVPF 97 96'],
    main: {
      send: 'H264/97 0 42801F',
      receive: { 97: 'profile-level-id=42801F;packetization-mode=0', 96: 'max-fr=30;max-fs=3600' },
      limits: [HD, 108_000, 60, 1_840_000],
      feedback: 'pli fir tmmbr',
    },
    slides: null,
  },
  {
    from: 'pjsua, with TIAS and its parameter sets',
    offer: `v=0
o=- 3926573523 3926573523 IN IP4 192.0.2.3
s=pjmedia
b=AS:352
t=0 0
a=X-nat:0
m=audio 4000 RTP/AVP 98 8 0 96
c=IN IP4 192.0.2.3
b=TIAS:96000
a=rtpmap:98 opus/48000/2
a=rtpmap:96 telephone-event/8000
a=rtcp:4001 IN IP4 192.0.2.3
m=video 4002 RTP/AVP 97 99
c=IN IP4 192.0.2.3
b=TIAS:256000
a=rtcp:4003 IN IP4 192.0.2.3
a=sendrecv
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42e01e; packetization-mode=1; sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==
a=rtpmap:99 VP8/90000
a=rtcp-fb:* nack pli
`,
    streams: ['m=audio 20000 RTP/AVP 98 8 0 96', 'm=video 20002 RTP/AVP 97 99'],
    main: {
      send: 'H264/97 1 42e01e',
      receive: { 97: 'profile-level-id=42e01e;packetization-mode=1', 99: 'max-fr=30;max-fs=3600' },
      limits: [1620 * 256, 40_500, 60, 256_000],
      feedback: 'pli',
    },
    slides: null,
  },
  {
    from: 'Cisco Jabber, which may go beyond its level, takes without sending, and has floor control and slides',
    offer: `v=0
o=Cisco-SIPUA 5321 0 IN IP4 192.0.2.4
s=SIP Call
b=AS:4064
t=0 0
a=cisco-mari:v1
m=audio 16384 RTP/AVP 114 9 101
c=IN IP4 192.0.2.4
b=TIAS:128000
a=rtpmap:114 opus/48000/2
a=rtpmap:101 telephone-event/8000
m=video 16392 RTP/AVP 126 97 111
c=IN IP4 192.0.2.4
b=TIAS:4000000
a=rtpmap:126 H264/90000
a=fmtp:126 profile-level-id=42E01F;packetization-mode=1;level-asymmetry-allowed=1;max-fs=3601;max-rcmd-nalu-size=32000
a=imageattr:126 recv [x=[32:1:1280],y=[18:1:720],par=1.7778,q=1.00]
a=content:main
a=label:11
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42E01F;packetization-mode=0;level-asymmetry-allowed=1;max-fs=3601
a=imageattr:97 recv [x=[32:1:1280],y=[18:1:720],par=1.7778,q=1.00]
a=rtpmap:111 x-ulpfecuc/8000
a=fmtp:111 max_esel=1420;m=8;max_n=32;FEC_ORDER=FEC_SRTP
a=rtcp-fb:* ccm fir
a=rtcp-fb:* ccm tmmbr
a=rtcp-fb:* nack pli
a=recvonly
m=video 16394 RTP/AVP 126 97 111
c=IN IP4 192.0.2.4
b=TIAS:4000000
a=rtpmap:126 H264/90000
a=fmtp:126 profile-level-id=42E01F;packetization-mode=1;level-asymmetry-allowed=1;max-fs=3601;max-rcmd-nalu-size=32000
a=content:slides
a=label:12
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42E01F;packetization-mode=0;level-asymmetry-allowed=1;max-fs=3601
a=rtcp-fb:* ccm fir
a=rtcp-fb:* nack pli
a=sendrecv
m=application 5904 UDP/BFCP *
c=IN IP4 192.0.2.4
a=floorctrl:c-s
a=confid:3
a=floorid:2 mstrm:12
a=userid:3
a=setup:actpass
a=connection:new
m=application 39878 RTP/AVP 125
c=IN IP4 192.0.2.4
a=rtpmap:125 H224/4800
`,
    streams: [
      'm=audio 20000 RTP/AVP 114 9 101',
      'm=video 20002 RTP/AVP 126 97',
      'm=video 20004 RTP/AVP 126 97',
      'm=application 5070 UDP/BFCP *',
      'm=application 0 RTP/AVP 125',
    ],
    main: {
      send: 'H264/126 1 42E01F',
      receive: {
        126: 'profile-level-id=42E01f;level-asymmetry-allowed=1;packetization-mode=1',
        97: 'profile-level-id=42E01f;level-asymmetry-allowed=1;packetization-mode=0',
      },
      limits: [3601 * 256, 108_000, 60, 4_000_000],
      feedback: 'pli fir tmmbr',
    },
    slides: {
      send: 'H264/126 1 42E01F',
      receive: {
        126: 'profile-level-id=42E01f;level-asymmetry-allowed=1;packetization-mode=1',
        97: 'profile-level-id=42E01f;level-asymmetry-allowed=1;packetization-mode=0',
      },
      limits: [3601 * 256, 108_000, 60, 4_000_000],
      feedback: 'pli fir',
    },
  },
  {
    from: 'Cisco 8800: constrained high first, two sizes that it likes, recvonly as its shutter is closed',
    offer: `v=0
o=Cisco-SIPUA 20132 0 IN IP4 192.0.2.12
s=SIP Call
b=AS:4064
t=0 0
m=audio 24632 RTP/AVP 114 9 8 101
c=IN IP4 192.0.2.12
b=TIAS:64000
a=rtpmap:114 opus/48000/2
a=rtpmap:101 telephone-event/8000
m=video 17766 RTP/AVP 100 126 97
c=IN IP4 192.0.2.12
b=TIAS:4000000
a=rtpmap:100 H264/90000
a=fmtp:100 profile-level-id=640C16;packetization-mode=1;level-asymmetry-allowed=1;max-mbps=108000;max-fs=3600;max-rcmd-nalu-size=256000
a=imageattr:* recv [x=800,y=480,q=0.60] [x=1280,y=720,q=0.50]
a=rtpmap:126 H264/90000
a=fmtp:126 profile-level-id=428016;packetization-mode=1;level-asymmetry-allowed=1;max-mbps=108000;max-fs=3600;max-rcmd-nalu-size=256000
a=imageattr:* recv [x=800,y=480,q=0.60] [x=1280,y=720,q=0.50]
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=428016;packetization-mode=0;level-asymmetry-allowed=1;max-mbps=108000;max-fs=3600;max-rcmd-nalu-size=256000
a=imageattr:* recv [x=800,y=480,q=0.60] [x=1280,y=720,q=0.50]
a=rtcp-fb:* nack pli
a=rtcp-fb:* ccm fir
a=rtcp-fb:* ccm tmmbr
a=recvonly
`,
    streams: ['m=audio 20000 RTP/AVP 114 9 8 101', 'm=video 20002 RTP/AVP 126 100 97'],
    main: {
      send: 'H264/126 1 428016',
      receive: {
        126: 'profile-level-id=42801f;level-asymmetry-allowed=1;packetization-mode=1',
        100: 'profile-level-id=640C1f;level-asymmetry-allowed=1;packetization-mode=1',
        97: 'profile-level-id=42801f;level-asymmetry-allowed=1;packetization-mode=0',
      },
      limits: [HD, 108_000, 60, 4_000_000],
      feedback: 'pli fir tmmbr',
    },
    slides: null,
  },
  {
    from: 'Tandberg MXP, which leaves out a 0 of its level',
    offer: `v=0
o=mxp 1 1 IN IP4 192.0.2.13
s=-
c=IN IP4 192.0.2.13
b=CT:768
t=0 0
m=audio 2326 RTP/AVP 9 8
m=video 2328 RTP/AVP 97 34
b=TIAS:768000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=4280D;max-fs=3840;max-br=768
a=rtpmap:34 H263/90000
`,
    streams: ['m=audio 20000 RTP/AVP 9 8', 'm=video 20002 RTP/AVP 97'],
    main: {
      send: 'H264/97 0 4280D',
      receive: { 97: 'profile-level-id=42800D;packetization-mode=0;max-mbps=108000;max-fs=3600' },
      limits: [3840 * 256, 11_880, 60, 768_000],
      feedback: '',
    },
    slides: null,
  },
  {
    from: 'Cisco (Tandberg) room system: level 2.2 and far beyond it, H.263 and H.261, slides last',
    offer: `v=0
o=tandberg 1 2 IN IP4 192.0.2.5
s=-
c=IN IP4 192.0.2.5
b=CT:1920
t=0 0
m=audio 2406 RTP/AVP 9 8 0 101
b=TIAS:64000
a=rtpmap:101 telephone-event/8000
m=video 2408 RTP/AVP 97 98 99 34 31
b=TIAS:1920000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=428016;max-mbps=245000;max-fs=9000;max-smbps=245000
a=rtpmap:98 H264/90000
a=fmtp:98 profile-level-id=428016;max-mbps=245000;max-fs=9000;max-smbps=245000;packetization-mode=1
a=rtpmap:99 H263-1998/90000
a=fmtp:99 cif4=1;cif=1;qcif=1;maxbr=19200
a=rtpmap:34 H263/90000
a=rtpmap:31 H261/90000
a=rtcp-fb:* nack pli
a=sendrecv
a=content:main
a=label:11
a=answer:full
m=application 5070 TCP/BFCP *
a=floorctrl:c-s
a=confid:1
a=floorid:2 mstrm:12
a=userid:70
a=setup:actpass
a=connection:new
m=video 2410 RTP/AVP 97 98 34
b=TIAS:1920000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=428016;max-mbps=58000;max-fs=3840;max-smbps=58000
a=rtpmap:98 H264/90000
a=fmtp:98 profile-level-id=428016;max-mbps=58000;max-fs=3840;max-smbps=58000;packetization-mode=1
a=rtpmap:34 H263/90000
a=rtcp-fb:* nack pli
a=content:slides
a=label:12
`,
    streams: [
      'm=audio 20000 RTP/AVP 9 8 0 101',
      'm=video 20002 RTP/AVP 98 97',
      'm=application 5071 TCP/BFCP *',
      'm=video 20004 RTP/AVP 98 97',
    ],
    main: {
      send: 'H264/98 1 428016',
      receive: {
        98: 'profile-level-id=428016;packetization-mode=1;max-mbps=108000;max-fs=3600',
        97: 'profile-level-id=428016;packetization-mode=0;max-mbps=108000;max-fs=3600',
      },
      limits: [9000 * 256, 245_000, 60, 1_920_000],
      feedback: 'pli',
    },
    slides: {
      send: 'H264/98 1 428016',
      receive: {
        98: 'profile-level-id=428016;packetization-mode=1;max-mbps=108000;max-fs=3600',
        97: 'profile-level-id=428016;packetization-mode=0;max-mbps=108000;max-fs=3600',
      },
      limits: [3840 * 256, 58_000, 60, 1_920_000],
      feedback: 'pli',
    },
  },
  {
    from: 'Polycom HDX: several feedbacks in one line, spaces in the parameters, a floor before there are slides',
    offer: `v=0
o=hdx8000 2024860525 0 IN IP4 192.0.2.6
s=-
c=IN IP4 192.0.2.6
b=AS:384
t=0 0
m=audio 49426 RTP/AVP 115 102 9 15 0 8 18
a=rtpmap:115 G7221/32000
a=fmtp:115 bitrate=48000
a=rtpmap:102 G7221/16000
a=rtpmap:15 G728/8000
a=rtpmap:18 G729/8000
a=sendrecv
m=video 49428 RTP/AVP 109 96 34 31
b=TIAS:384000
a=rtpmap:109 H264/90000
a=fmtp:109 profile-level-id=42800d; max-mbps=108000; max-fs=3600; max-br=1600; sar=13
a=rtpmap:96 H263-1998/90000
a=fmtp:96 CIF4=2;CIF=1;QCIF=1;SQCIF=1;F;J;T
a=rtpmap:34 H263/90000
a=rtpmap:31 H261/90000
a=sendrecv
a=rtcp-fb:* ccm fir tmmbr
m=application 34683 TCP/BFCP *
a=floorctrl:c-s
a=setup:actpass
a=connection:new
`,
    streams: ['m=audio 20000 RTP/AVP 9 8 0', 'm=video 20002 RTP/AVP 109', 'm=application 5071 TCP/BFCP *'],
    main: {
      send: 'H264/109 0 42800d',
      receive: { 109: 'profile-level-id=42800d;packetization-mode=0;max-mbps=108000;max-fs=3600' },
      limits: [HD, 108_000, 60, 384_000],
      feedback: 'fir tmmbr',
    },
    slides: null,
  },
  {
    from: 'Polycom Group, high profile first, and H.264 that is none',
    offer: `v=0
o=GROUPSERIES 1 1 IN IP4 192.0.2.7
s=-
c=IN IP4 192.0.2.7
b=AS:2048
t=0 0
m=audio 3230 RTP/AVP 9 0 101
a=rtpmap:101 telephone-event/8000
m=video 3232 RTP/AVP 111 112 109 110 106 116
b=TIAS:2048000
a=rtcp-fb:* nack pli
a=rtcp-fb:* ccm fir
a=rtcp-fb:* ccm tmmbr
a=rtpmap:111 H264/90000
a=fmtp:111 profile-level-id=64001f; packetization-mode=1; max-br=20010; sar=13
a=rtpmap:112 H264/90000
a=fmtp:112 profile-level-id=44E016; packetization-mode=1; max-mbps=216000; max-fs=3600
a=rtpmap:109 H264/90000
a=fmtp:109 profile-level-id=42801f; max-br=20010; sar=13
a=rtpmap:110 H264/90000
a=fmtp:110 profile-level-id=42801f; packetization-mode=1; max-br=20010; sar=13
a=rtpmap:106 H264-SVC/90000
a=fmtp:106 profile-level-id=56001f; packetization-mode=1; max-br=20010; sar=13
a=rtpmap:116 vnd.polycom.lpr/9000
a=fmtp:116 V=2;minPP=0;PP=150;RS=52;RP=10;PS=1400
`,
    streams: ['m=audio 20000 RTP/AVP 9 0 101', 'm=video 20002 RTP/AVP 110 111 109'],
    main: {
      send: 'H264/110 1 42801f',
      receive: {
        110: 'profile-level-id=42801f;packetization-mode=1',
        111: 'profile-level-id=64001f;packetization-mode=1',
        109: 'profile-level-id=42801f;packetization-mode=0',
      },
      limits: [HD, 108_000, 60, 2_048_000],
      feedback: 'pli fir tmmbr',
    },
    slides: null,
  },
  {
    from: 'Pexip: 1080p and beyond in hundredths of a picture a second, both streams told apart, floor served by them',
    offer: `v=0
o=- 3245388592986587240 3245388592986587244 IN IP4 198.51.100.40
s=-
c=IN IP4 198.51.100.40
b=CT:3732
t=0 0
m=audio 45314 RTP/AVP 9 8 0 101
a=rtpmap:101 telephone-event/8000
m=video 45316 RTP/AVP 97 116 96 34
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=428014;max-mbps=489600;max-fs=8160;max-cpb=4000;max-dpb=4752;max-br=3120;max-fps=6000
a=rtpmap:116 H264/90000
a=fmtp:116 profile-level-id=428014;max-mbps=489600;max-fs=8160;max-cpb=4000;max-dpb=4752;max-br=3120;max-fps=6000;packetization-mode=1
a=rtpmap:96 H263-1998/90000
a=rtcp-fb:* nack pli
a=content:main
a=label:11
m=video 36716 RTP/AVP 97 116
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=428014;max-mbps=270000;max-fs=32400;max-br=3333;max-fps=3000
a=rtpmap:116 H264/90000
a=fmtp:116 profile-level-id=428014;max-mbps=270000;max-fs=32400;max-br=3333;max-fps=3000;packetization-mode=1
a=content:slides
a=label:12
m=application 36188 UDP/BFCP *
a=confid:1
a=userid:15377
a=floorid:2 mstrm:12
a=floorctrl:s-only
m=application 45560 UDP/UDT/IX *
a=setup:actpass
a=ixmap:0 ping
`,
    streams: [
      'm=audio 20000 RTP/AVP 9 8 0 101',
      'm=video 20002 RTP/AVP 116 97',
      'm=video 20004 RTP/AVP 116 97',
      'm=application 0 UDP/BFCP *',
      'm=application 0 UDP/UDT/IX *',
    ],
    main: {
      send: 'H264/116 1 428014',
      receive: {
        116: 'profile-level-id=428014;packetization-mode=1;max-mbps=108000;max-fs=3600',
        97: 'profile-level-id=428014;packetization-mode=0;max-mbps=108000;max-fs=3600',
      },
      limits: [8160 * 256, 489_600, 60, 3_120_000],
      feedback: 'pli',
    },
    slides: {
      send: 'H264/116 1 428014',
      receive: {
        116: 'profile-level-id=428014;packetization-mode=1;max-mbps=108000;max-fs=3600',
        97: 'profile-level-id=428014;packetization-mode=0;max-mbps=108000;max-fs=3600',
      },
      limits: [32_400 * 256, 270_000, 30, 3_333_000],
      feedback: '',
    },
  },
  {
    from: 'a phone behind a Cisco manager: main profile at level 4, its parameter sets, a control stream',
    offer: `v=0
o=CiscoSystemsCCM-SIP 2000 1 IN IP4 192.0.2.8
s=SIP Call
c=IN IP4 192.0.2.8
t=0 0
m=audio 16556 RTP/AVP 9 101
b=TIAS:64000
a=rtpmap:9 G722/8000
a=rtpmap:101 telephone-event/8000
m=video 16558 RTP/AVP 97
b=TIAS:2250000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=4D0028;sprop-parameter-sets=Z00AKBpZUAoAtyA=,aENuPIA=
m=control 0 tcp 0
`,
    streams: ['m=audio 20000 RTP/AVP 9 101', 'm=video 20002 RTP/AVP 97', 'm=control 0 tcp 0'],
    main: {
      send: 'H264/97 0 4D0028',
      receive: { 97: 'profile-level-id=4D001f;packetization-mode=0' },
      limits: [HD, 108_000, 60, 2_250_000],
      feedback: '',
    },
    slides: null,
  },
  {
    from: 'a door phone, whose level says CIF and no more, with AS and a picture rate',
    offer: `v=0
o=1001 8000 8000 IN IP4 192.0.2.9
s=SIP Call
c=IN IP4 192.0.2.9
t=0 0
m=audio 5004 RTP/AVP 0 8 101
a=rtpmap:101 telephone-event/8000
m=video 5006 RTP/AVP 99
b=AS:384
a=sendrecv
a=rtpmap:99 H264/90000
a=fmtp:99 profile-level-id=428014; packetization-mode=1
a=framerate:15
`,
    streams: ['m=audio 20000 RTP/AVP 8 0 101', 'm=video 20002 RTP/AVP 99'],
    main: {
      send: 'H264/99 1 428014',
      receive: { 99: 'profile-level-id=428014;packetization-mode=1' },
      limits: [396 * 256, 11_880, 15, 368_640],
      feedback: '',
    },
    slides: null,
  },
  {
    from: 'a browser through a gateway that took its DTLS and bundle off: all its formats, RTX for each',
    offer: `v=0
o=- 4962303333179871722 2 IN IP4 192.0.2.10
s=-
c=IN IP4 192.0.2.10
t=0 0
m=audio 30000 RTP/AVPF 111 126
a=rtpmap:111 opus/48000/2
a=rtpmap:126 telephone-event/8000
a=rtcp-mux
m=video 30002 RTP/AVPF 96 97 98 99 102 122 127 121 125 107 114 115
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 VP9/90000
a=fmtp:98 profile-id=0
a=rtcp-fb:98 nack
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=rtpmap:102 H264/90000
a=rtcp-fb:102 goog-remb
a=rtcp-fb:102 ccm fir
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:122 rtx/90000
a=fmtp:122 apt=102
a=rtpmap:127 H264/90000
a=rtcp-fb:127 nack pli
a=fmtp:127 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
a=rtpmap:121 rtx/90000
a=fmtp:121 apt=127
a=rtpmap:125 H264/90000
a=rtcp-fb:125 goog-remb
a=rtcp-fb:125 ccm fir
a=rtcp-fb:125 nack
a=rtcp-fb:125 nack pli
a=fmtp:125 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:107 rtx/90000
a=fmtp:107 apt=125
a=rtpmap:114 red/90000
a=rtpmap:115 ulpfec/90000
`,
    streams: ['m=audio 20000 RTP/AVPF 111 126', 'm=video 20002 RTP/AVPF 125 102 127 96 107 122 97'],
    main: {
      send: 'H264/125 1 42e01f',
      receive: {
        125: 'profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1 rtx=107',
        102: 'profile-level-id=42001f;level-asymmetry-allowed=1;packetization-mode=1 rtx=122',
        127: 'profile-level-id=42001f;level-asymmetry-allowed=1;packetization-mode=0',
        96: 'max-fr=30;max-fs=3600 rtx=97',
      },
      limits: [HD, 108_000, 60, 14_000_000],
      feedback: 'nack pli fir remb',
    },
    slides: null,
  },
  {
    from: 'an old video phone with H.263 alone',
    offer: `v=0
o=- 1 1 IN IP4 192.0.2.11
s=-
c=IN IP4 192.0.2.11
t=0 0
m=audio 5000 RTP/AVP 0
m=video 5002 RTP/AVP 34 31
a=rtpmap:34 H263/90000
a=fmtp:34 CIF=1;QCIF=1
`,
    streams: ['m=audio 20000 RTP/AVP 0', 'm=video 0 RTP/AVP 34 31'],
    main: null,
    slides: null,
  },
];

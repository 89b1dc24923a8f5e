import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MixerEvent } from '../mixer/protocol.ts';
import type { VideoMixerEvent } from '../mixer/video-protocol.ts';
import type { Config } from './config/schema.ts';
import { createSession, mixerOptions, videoMixerOptions } from './configured-parts.ts';
import { createFloorControl, type FloorControlParts } from './floor-control-parts.ts';
import { ActiveSpeakers } from './focus/active-speakers.ts';
import { Announcements } from './focus/announcements.ts';
import { AutomaticRecording } from './focus/automatic-recording.ts';
import { Conferences, type ConferencesOptions } from './focus/conference-control.ts';
import { ConferenceHost } from './focus/conference-host.ts';
import { DialOuts } from './focus/dial-outs.ts';
import { Focus } from './focus/focus.ts';
import type { FocusOptions } from './focus/focus-options.ts';
import { Moderation } from './focus/moderation.ts';
import type { ParticipantCall } from './focus/participant-call.ts';
import { ParticipantsControl } from './focus/participants-control.ts';
import { PinGuard } from './focus/pin-guard.ts';
import { RecordingVoice } from './focus/recording-voice.ts';
import { RoomPictures } from './focus/room-pictures.ts';
import { RoomRecordings } from './focus/room-recordings.ts';
import { RoomScenes } from './focus/room-scene.ts';
import { Announcer } from './ivr/announcer.ts';
import { Names } from './ivr/names.ts';
import type { Log } from './log.ts';
import { Mixers } from './mixers/mixers.ts';
import { VideoMixers } from './mixers/video-mixers.ts';
import type { NodeTimers } from './node-timers.ts';
import { assetsDirectory } from './prompts/assets-directory.ts';
import { Prompts } from './prompts/prompts.ts';
import type { Recordings } from './recordings/recordings.ts';
import type { Rooms } from './rooms/rooms.ts';
import type { SoundLibrary } from './sounds/sound-library.ts';

export interface ConferenceSurroundings extends Pick<FocusOptions, 'identify' | 'isTrusted' | 'call' | 'observer'> {
  rooms: Rooms;
  /** Of all rooms, with what is finished. */
  recordings: Recordings;
  /** To be played in rooms. */
  sounds: SoundLibrary;
  timers: NodeTimers;
  log: Log;
  sendText(participant: ParticipantCall, text: string): void;
  sendTexts: ConferencesOptions['sendTexts'];
}

/** All that makes a conference of calls: mixers, focus, voice, keys, moderation. */
export interface ConferenceParts {
  mixers: Mixers;
  video: VideoMixers;
  focus: Focus;
  /** Of slides. */
  floorControl: FloorControlParts;
  pins: PinGuard;
  conferences: Conferences;
  /** Calls nobody any more, says BYE to everybody; settled when all are gone. */
  stop(): Promise<void>;
  stopRecordings(): Promise<unknown>;
}

/** The parts know one another; they are put together here, and nothing runs before `mixers.start()`. */
export function createConferences(config: Config, surroundings: ConferenceSurroundings): ConferenceParts {
  const { rooms, recordings: recorded, sounds, timers, log, sendText, sendTexts, ...calling } = surroundings;
  const carry = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => log.error({ err: error }, 'recording not carried out'));
  };
  const happened = (event: MixerEvent): void => {
    if (event.event === 'recordingFailed') carry(recordings.failed(event.recording, event.reason));
    announcer.happened(event);
    focus.happened(event);
    if (event.event !== 'legLevel') return;
    const room = focus.call(event.leg)?.room;
    if (room !== undefined) speakers.measured(room, event.leg, event.levelDb);
  };
  const videoHappened = (event: VideoMixerEvent): void => {
    if (event.event === 'recordingFailed') recordings.pictureFailed(event.recording, event.reason);
    focus.videoHappened(event);
  };
  const programs = join(fileURLToPath(import.meta.url), '../../mixer');
  const mixers = new Mixers({
    ...mixerOptions(config),
    program: join(programs, 'main.js'),
    ...{ timers, log },
    event: happened,
    recordingsLost: (lost) => carry(recordings.lost(lost)),
  });
  const scenes = new RoomScenes(rooms, (room) => video.sceneChanged(room));
  const video = new VideoMixers({
    ...videoMixerOptions(config),
    program: join(programs, 'video/main.js'),
    ...{ timers, log },
    sceneOf: (room) => scenes.of(room),
    event: videoHappened,
    recordingsLost: (lost) => recordings.pictureLost(lost),
  });
  const prompts = new Prompts({ assetsDir: assetsDirectory(), ownDir: config.promptsDir ?? null, log });
  const announcer = new Announcer({ prompts, player: mixers, log });
  recorded.subscribe((change, recording) => rooms.recordingTold(change, recording));
  const voice = new RecordingVoice({ announcer, timers });
  const recordings = new RoomRecordings({
    ...{ rooms, mixers, video, recordings: recorded, voice, timers, log, epochMs: Date.now },
  });
  new AutomaticRecording({ rooms, log, start: (room) => recordings.start(room, {}, 'policy') });
  const names = new Names(join(config.dataDir, 'names'), mixers, log);
  const floorControl = createFloorControl({
    ...{ rooms, timers, log },
    roomOf: (participant) => focus.call(participant)?.room,
  });
  const { adhocRooms, domain, maxCalls, maxMixerLoad } = config;
  const { identify, isTrusted } = calling;
  const pins = new PinGuard({ identify, isTrusted, log, now: () => timers.now() });
  const focus: Focus = new Focus({
    ...{
      rooms,
      mixers,
      video,
      timers,
      log,
      adhocRooms,
      domain,
      maxCalls,
      maxMixerLoad,
      pins,
      epochMs: Date.now,
      ...calling,
    },
    createSession: (ports, peer) => createSession(config, ports, peer),
    floorControl: () => floorControl.serving(),
    emptied: (room) => carry(recordings.stopAll(room)),
    host: {
      established: (participant) => host.established(participant),
      keyPressed: (participant, key) => host.keyPressed(participant, key),
      left: (participant) => host.left(participant),
      remove: ({ room, id }) => participants.remove(room, id, 'removed by a moderator'),
    },
  });
  const speakers = new ActiveSpeakers({ rooms, timers });
  const moderation = new Moderation({
    ...{ announcer, rooms },
    in: (room) => focus.in(room),
    callNobody: (room) => dialOuts.cancelAll(room),
    roleGiven: (participant) => host.roleGiven(participant),
    epochMs: Date.now,
  });
  const dialOuts = new DialOuts({
    ...{ rooms, timers, log },
    call: (room, callee, report) => focus.dialOut(room, callee, report),
    mayCall: (room) => !room.full && !focus.full && !focus.isBusy(room),
  });
  const host = new ConferenceHost({
    ...{ rooms, announcer, names, timers, log, pins, moderation, sendText, epochMs: Date.now },
    in: (room) => focus.in(room),
    toggleRecording: (room) => recordings.toggle(room),
    keyPressed: ({ id, room }, key) => recordings.keyPressed(room, id, key),
    gone: ({ id }) => dialOuts.gone(id),
    entered: ({ id }) => dialOuts.entered(id),
    declined: ({ id }) => void dialOuts.cancel(id),
  });
  const participants = new ParticipantsControl({ rooms, focus, moderation, announcer, dialOuts, host });
  const announcements = new Announcements({
    announcer,
    hasPrompt: (language, id) => prompts.has(language, id),
    promptFile: (language, id) => prompts.file(language, id),
    recordingFile: async (room, id) => {
      recordings.find(room, id);
      const { path, sealed } = await recorded.file(id, 'wav');
      return sealed === undefined ? { path } : { path, key: Buffer.from(sealed.key).toString('base64') };
    },
    soundFile: (id) => sounds.file(id),
    epochMs: Date.now,
  });
  const pictures = new RoomPictures({ mixers: video, timers });
  const conferences = new Conferences({
    ...{ rooms, focus, pictures, participants, moderation, announcements, dialOuts, recordings, recorded, sendTexts },
  });
  return {
    ...{ mixers, video, focus, floorControl, pins, conferences },
    stop: () => {
      host.close();
      speakers.close();
      dialOuts.cancelAll();
      return focus.stop();
    },
    stopRecordings: () => recordings.close(),
  };
}

import { Engine } from '../../../mixer/video/engine/engine.ts';
import { loadNodeAv } from '../../../mixer/video/engine/node-av.ts';

const loaded = await loadNodeAv();
if (loaded instanceof Error) throw loaded;

/** The library itself, for streams that no encoder of ours would make. */
export const av = loaded;
export const engine = new Engine(av);

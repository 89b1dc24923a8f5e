import { FloorSockets } from './bfcp/floor-sockets.ts';
import type { Path } from './bfcp/path.ts';
import type { FloorControlServing } from './focus/call-slides.ts';
import { SlidesControl, type SlidesControlOptions } from './focus/slides-control.ts';

/** The floor control server for slides, with its sockets. */
export interface FloorControlParts {
  /** Null: it does not listen. */
  serving(): FloorControlServing | null;
  /** UDP and TCP; 0: not at all. Where the port cannot be had, calls go on without floor control, and the log says so. */
  listen(address: string, port: number): Promise<void>;
  close(): Promise<void>;
}

type Surroundings = Omit<SlidesControlOptions, 'connect'>;

export function createFloorControl(surroundings: Surroundings): FloorControlParts {
  const { timers, log } = surroundings;
  let sockets: FloorSockets | null = null;
  const connect = (address: string, port: number): Path => {
    if (sockets === null) throw new Error('floor control does not listen');
    return sockets.connect(address, port);
  };
  const { floors: control } = new SlidesControl({ ...surroundings, connect });
  return {
    serving: () => sockets && { control, port: sockets.port },
    listen: async (address, port) => {
      if (port === 0) return;
      try {
        sockets = await FloorSockets.listen(address, port, {
          timers,
          message: (bytes, path) => control.received(bytes, path),
          closed: (path) => control.closed(path),
        });
      } catch (error) {
        log.error({ bfcpPort: port, reason: String(error) }, 'no floor control for slides: bfcpPort cannot be had');
      }
    },
    close: async () => {
      control.close();
      await sockets?.close();
    },
  };
}

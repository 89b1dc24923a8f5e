/** A mixer process' end of the channel to the server. What a turn of the event loop has to say goes in one piece. */
export class ServerChannel<ToServer, FromServer> {
  private waiting: ToServer[] = [];

  /** @param gone the server has let go of the channel, or is no more. */
  constructor(received: (message: FromServer) => void, gone: () => void) {
    process.on('message', (messages: FromServer[]) => {
      for (const message of messages) received(message);
    });
    process.on('disconnect', gone);
    // The server decides when a mixer ends: it says goodbye to the callers first.
    process.on('SIGTERM', () => undefined);
    process.on('SIGINT', () => undefined);
  }

  readonly send = (message: ToServer): void => {
    if (this.waiting.push(message) === 1) setImmediate(this.flush);
  };

  private readonly flush = (): void => {
    const messages = this.waiting;
    this.waiting = [];
    if (process.connected) process.send!(messages);
  };
}

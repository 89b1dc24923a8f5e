import type { SipRequest } from '../sip/message/message.ts';
import { isDirect } from '../sip/message/via.ts';
import type { Flow } from '../sip/transport/flow.ts';
import type { Authentication, AuthenticationResult } from './authentication.ts';
import type { Bindings } from './bindings.ts';
import type { Users } from './users.ts';

/** Tells who sent a request for which it matters. */
export class SignIn {
  private readonly authentication: Authentication;
  private readonly bindings: Bindings;
  private readonly users: Users;

  constructor(authentication: Authentication, bindings: Bindings, users: Users) {
    this.authentication = authentication;
    this.bindings = bindings;
    this.users = users;
  }

  /**
   * By the request's credentials; without any, by the connection: whoever has registered over it is signed in until that
   * expires. Others are asked, if there are users at all; so is everybody over UDP, where anyone can send from an address
   * and port that somebody else has registered from, and who comes through a proxy, over whose connection all come.
   */
  identify(request: SipRequest, flow: Flow): AuthenticationResult | null {
    if (flow.reliable && isDirect(request) && !this.authentication.isSigned(request)) {
      const user = this.bindings.onlyUserAt(flow);
      if (user !== null) return { user };
    }
    return this.users.size === 0 ? null : this.authentication.authenticate(request, flow);
  }
}

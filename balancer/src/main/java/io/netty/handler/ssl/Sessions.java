package io.netty.handler.ssl;

import javax.net.ssl.SSLEngine;

/**
 * What Netty knows of a session and tells within its own package only, which is why this is in it.
 */
public final class Sessions {

  private Sessions() {}

  /**
   * Whether a session of an earlier connection is used again.
   *
   * @param since when the handshake began, in milliseconds since 1970
   */
  public static boolean resumed(SSLEngine engine, long since) {
    return engine instanceof ReferenceCountedOpenSslEngine boring
        ? boring.isSessionReused()
        : engine.getSession().getCreationTime() < since;
  }
}

package dev.muelle.wire.http;

import java.io.IOException;
import java.util.Optional;

/** Our end of one web socket: what the other end says arrives here, one after the other. */
public interface WebSocket {

  /** RFC 6455, 7.4.1. */
  int NORMAL = 1000;

  int UNSUPPORTED_DATA = 1003;
  int POLICY_VIOLATION = 1008;

  /** Before anything else. */
  void opened(Peer peer);

  void text(String message);

  void binary(byte[] message);

  /** The other end is gone, or was sent away; nothing more comes. */
  void closed();

  /** The other end. Several threads may speak to it. */
  interface Peer {

    /**
     * Sends a binary message; waits until it is on its way.
     *
     * @throws IOException if the other end is gone
     */
    void send(byte[] message) throws IOException;

    /** Ends the conversation; nothing happens if it has ended. */
    void close(int code, String reason);
  }

  /** Where web sockets are asked for. */
  @FunctionalInterface
  interface Door {

    /**
     * Who answers at a path.
     *
     * @return empty for nobody, which is answered with 404
     */
    Optional<WebSocket> open(String path);
  }
}

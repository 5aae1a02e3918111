package dev.muelle.region.server;

import dev.muelle.wire.http.WebSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.server.ServerWebSocketContainer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Jetty's web sockets as ours. */
public final class Sockets {

  private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);
  private static final long MAX_MESSAGE = 64 * 1024;
  private static final Duration IDLE = Duration.ofMinutes(10); // clients say that they live

  private Sockets() {}

  /** Asks a door at every path. */
  static Consumer<ServerWebSocketContainer> serving(WebSocket.Door door) {
    return container -> {
      container.setMaxBinaryMessageSize(MAX_MESSAGE);
      container.setMaxTextMessageSize(MAX_MESSAGE);
      container.setIdleTimeout(IDLE);
      container.addMapping(
          "/*",
          (request, response, callback) -> {
            Optional<WebSocket> socket = door.open(request.getHttpURI().getPath());
            if (socket.isEmpty()) {
              Response.writeError(request, response, callback, HttpStatus.NOT_FOUND_404);
            }
            return socket.map(End::new).orElse(null);
          });
    };
  }

  /** Of one conversation. */
  public static final class End implements Session.Listener.AutoDemanding {
    private final WebSocket socket;

    End(WebSocket socket) {
      this.socket = socket;
    }

    @Override
    public void onWebSocketOpen(Session session) {
      socket.opened(new Other(session));
    }

    @Override
    public void onWebSocketText(String message) {
      socket.text(message);
    }

    @Override
    public void onWebSocketBinary(ByteBuffer payload, Callback callback) {
      byte[] message = new byte[payload.remaining()];
      payload.get(message);
      callback.succeed();
      socket.binary(message);
    }

    @Override
    public void onWebSocketClose(int statusCode, @Nullable String reason) {
      socket.closed();
    }

    @Override
    public void onWebSocketError(Throwable cause) {
      LOG.debug("a web socket broke", cause);
      socket.closed();
    }
  }

  private record Other(Session session) implements WebSocket.Peer {

    @Override
    public void send(byte[] message) throws IOException {
      Callback.Completable sent = new Callback.Completable();
      session.sendBinary(ByteBuffer.wrap(message), sent);
      try {
        sent.join();
      } catch (CompletionException e) {
        throw new IOException(e.getCause());
      }
    }

    @Override
    public void close(int code, String reason) {
      session.close(code, reason, Callback.NOOP);
    }
  }
}

package dev.muelle.network.linux;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import dev.muelle.linux.Command.Result;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.SocketSpace;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Connections between namespaces. */
final class Traffic implements AutoCloseable {

  private final List<Closeable> open = new ArrayList<>();
  private final AtomicInteger sent = new AtomicInteger();
  private final BlockingQueue<String> callers = new LinkedBlockingQueue<>();

  void keep(Closeable socket) {
    open.add(socket);
  }

  @Override
  public void close() throws IOException {
    for (Closeable socket : open) {
      socket.close();
    }
    open.clear();
  }

  /**
   * Under which addresses servers were called, the next so many calls that were not asked for yet;
   * a connection is there before its server accepts it.
   */
  Set<String> callers(int calls) throws InterruptedException {
    Set<String> seen = new HashSet<>();
    for (int call = 0; call < calls; call++) {
      String caller = callers.poll(LATE_MILLIS, TimeUnit.MILLISECONDS);
      assertNotNull(caller, "fewer calls than " + calls);
      seen.add(caller);
    }
    return seen;
  }

  static StandardProtocolFamily family(String address) {
    return address.indexOf(':') < 0 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
  }

  /** Echoes bytes at an address inside a namespace. */
  void serve(Path namespace, String address, int port) throws Exception {
    try (NetworkNamespace inside = new NetworkNamespace(namespace.getFileName().toString())) {
      serve(inside::call, address, port);
    }
  }

  void serve(SocketSpace inside, String address, int port) throws Exception {
    ServerSocketChannel listener =
        inside.call(() ->
            ServerSocketChannel.open(family(address)).bind(new InetSocketAddress(address, port)));
    open.add(listener);
    Thread.startVirtualThread(() -> {
      while (listener.isOpen()) {
        try {
          SocketChannel client = listener.accept();
          callers.add(((InetSocketAddress) client.getRemoteAddress()).getHostString());
          Thread.startVirtualThread(() -> echo(client));
        } catch (IOException e) {
          return;
        }
      }
    });
  }

  private static void echo(SocketChannel client) {
    ByteBuffer bytes = ByteBuffer.allocate(16);
    try (client) {
      while (client.read(bytes) >= 0) {
        client.write(bytes.flip());
        bytes.clear();
      }
    } catch (IOException e) {
      return;
    }
  }

  /** So long a packet that is dropped is waited for in vain. */
  static final int DROPPED_MILLIS = 300;

  /** A first packet may be late on a busy machine; the second comes after a second. */
  static final int LATE_MILLIS = 30_000;

  static boolean connects(Path namespace, String address, int port) throws Exception {
    return connects(namespace, address, port, DROPPED_MILLIS);
  }

  static boolean reaches(Path namespace, String address, int port) throws Exception {
    return connects(namespace, address, port, LATE_MILLIS);
  }

  static boolean connects(Path namespace, String address, int port, int millis) throws Exception {
    try (NetworkNamespace from = new NetworkNamespace(namespace.getFileName().toString())) {
      return from.call(() -> connects(SocketChannel.open(family(address)), address, port, millis));
    }
  }

  /** A connection that stays open; whether it still carries bytes there and back. */
  SocketChannel connected(Path namespace, String address, int port) throws Exception {
    try (NetworkNamespace from = new NetworkNamespace(namespace.getFileName().toString())) {
      SocketChannel connection =
          from.call(() -> SocketChannel.open(new InetSocketAddress(address, port)));
      open.add(connection);
      return connection;
    }
  }

  /** Whether a new byte comes back over a connection within a while. */
  boolean flows(SocketChannel connection, int millis) throws IOException {
    int fresh = sent.updateAndGet(last -> (last + 1) & 127);
    connection.socket().setSoTimeout(millis);
    connection.socket().getOutputStream().write(fresh);
    try {
      int answered = connection.socket().getInputStream().read();
      while (answered >= 0 && answered != fresh) { // of an earlier question, answered late
        answered = connection.socket().getInputStream().read();
      }
      return answered == fresh;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    }
  }

  static boolean connects(SocketChannel socket, String address, int port, int millis)
      throws IOException {
    try (socket) {
      socket.socket().connect(new InetSocketAddress(address, port), millis);
      return true;
    } catch (java.net.SocketTimeoutException
        | java.net.ConnectException
        | java.net.NoRouteToHostException e) {
      return false;
    }
  }

  static Result inside(Path namespace, String... command) {
    List<String> whole = new ArrayList<>(List.of("nsenter", "--net=" + namespace));
    whole.addAll(List.of(command));
    Result result = Command.attempt(whole, Map.of(), "", Duration.ofSeconds(60));
    assertTrue(result.ok(), result::toString);
    return result;
  }
}

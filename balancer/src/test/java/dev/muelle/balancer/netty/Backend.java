package dev.muelle.balancer.netty;

import dev.muelle.balancer.Balancer;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A target: one thread per connection, whatever the test wants it to say. The kernel's threads,
 * which share a single core fairly: of many busy virtual ones some would wait for half a minute.
 */
public final class Backend implements AutoCloseable {

  /** Answers one request; false ends the connection. */
  public interface Behaviour {
    boolean serve(String head, InputStream in, OutputStream out) throws IOException;
  }

  final ServerSocket server;
  final Set<Socket> open = ConcurrentHashMap.newKeySet();
  final AtomicInteger served = new AtomicInteger();
  final AtomicInteger connections = new AtomicInteger();
  final AtomicInteger checks = new AtomicInteger();

  /** Whether health checks are answered 500. */
  volatile boolean sick;

  /** Whether a connection that ends is reset rather than closed. */
  volatile boolean resets;

  Backend(Behaviour behaviour) throws IOException {
    server = new ServerSocket(0, 200, InetAddress.getByName("127.0.0.1"));
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            while (true) {
              Socket socket = server.accept();
              socket.setTcpNoDelay(true);
              open.add(socket);
              if (server.isClosed()) { // it came while we closed, which did not see it
                socket.close();
                continue;
              }
              connections.incrementAndGet();
              Thread.ofPlatform().daemon().start(() -> talk(socket, behaviour));
            }
          } catch (IOException e) {
            // closed
          }
        });
  }

  static Backend saying(String body) throws IOException {
    return new Backend((head, in, out) -> {
      out.write(answer(200, body));
      return true;
    });
  }

  public static byte[] answer(int status, String body) {
    return ("HTTP/1.1 " + status + " X\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
        .getBytes(StandardCharsets.US_ASCII);
  }

  private void talk(Socket socket, Behaviour behaviour) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      while (true) {
        String head = head(in);
        if (head.isEmpty()) {
          return;
        }
        if (head.startsWith("GET /health ")) {
          checks.incrementAndGet();
          socket.getOutputStream().write(answer(sick ? 500 : 200, "ok"));
          return;
        }
        served.incrementAndGet();
        if (!behaviour.serve(head, in, socket.getOutputStream())) {
          if (resets) {
            socket.setSoLinger(true, 0);
          }
          return;
        }
      }
    } catch (IOException e) {
      // the other side went away
    } finally {
      open.remove(socket);
    }
  }

  /** A line, without its end. */
  static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
      if (b != '\r') {
        line.append((char) b);
      }
    }
    return line.toString();
  }

  /** A request's body, however it is framed; trailers come after its text. */
  static byte[] body(String head, InputStream in) throws IOException {
    String lower = head.toLowerCase(Locale.ROOT);
    if (!lower.contains("transfer-encoding: chunked")) {
      return lower.contains("content-length: ")
          ? in.readNBytes(
              Integer.parseInt(lower.replaceAll("(?s).*content-length: (\\d+).*", "$1")))
          : new byte[0];
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int size = size(in); size > 0; size = size(in)) {
      body.write(in.readNBytes(size));
      line(in);
    }
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      body.writeBytes(("|" + line).getBytes(StandardCharsets.ISO_8859_1));
    }
    return body.toByteArray();
  }

  private static int size(InputStream in) throws IOException {
    String line = line(in);
    return line.isEmpty() ? 0 : Integer.parseInt(line, 16); // nothing more comes
  }

  static String head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0) {
        return "";
      }
      head.write(b);
    }
    return head.toString(StandardCharsets.ISO_8859_1);
  }

  Balancer.Target target() {
    return new Balancer.Target("127.0.0.1", server.getLocalPort());
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}

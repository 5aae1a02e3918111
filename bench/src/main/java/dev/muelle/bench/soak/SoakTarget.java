package dev.muelle.bench.soak;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A target that answers each request with 512 bytes, and can be killed. */
final class SoakTarget {

  private static final byte[] ANSWER =
      ("HTTP/1.1 200 OK\r\nContent-Length: 512\r\n\r\n" + "x".repeat(512))
          .getBytes(StandardCharsets.US_ASCII);

  private final ServerSocket server;
  private final Set<Socket> clients = ConcurrentHashMap.newKeySet();
  private volatile boolean killed;

  SoakTarget() throws IOException {
    server = new ServerSocket(0, 1024, InetAddress.ofLiteral("127.0.0.1"));
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        clients.add(client);
        Thread.ofVirtual().start(() -> serve(client));
        if (killed) {
          reset(client);
        }
      }
    } catch (IOException e) {
      // its end
    }
  }

  private void serve(Socket client) {
    try (client) {
      client.setTcpNoDelay(true);
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
      OutputStream out = client.getOutputStream();
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.isEmpty()) {
          out.write(ANSWER);
        }
      }
    } catch (IOException e) {
      // the load balancer's affair
    } finally {
      clients.remove(client);
    }
  }

  /** Ends as a process does that is killed: in the middle of whatever it does. */
  void kill() throws IOException {
    killed = true;
    server.close();
    for (Socket client : clients) {
      reset(client);
    }
  }

  private static void reset(Socket client) throws IOException {
    client.setSoLinger(true, 0);
    client.close();
  }
}

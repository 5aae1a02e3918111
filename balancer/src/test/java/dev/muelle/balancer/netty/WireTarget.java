package dev.muelle.balancer.netty;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.tls.Tls;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A target that answers each request with frames of a test's own, right or wrong. */
final class WireTarget implements AutoCloseable {

  /** Answers a request; false ends the connection. */
  interface Behaviour {
    boolean serve(int request, int stream, DataInputStream in, OutputStream out) throws IOException;
  }

  record Frame(int type, int flags, int stream, byte[] payload) {

    static Frame read(DataInputStream in) throws IOException {
      int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
      int type = in.readUnsignedByte();
      int flags = in.readUnsignedByte();
      int stream = in.readInt();
      return new Frame(type, flags, stream, in.readNBytes(length));
    }

    /** Why a stream is reset, or a connection left. */
    int error() {
      return ByteBuffer.wrap(payload).getInt(type == Http2Wire.GOAWAY ? 4 : 0);
    }
  }

  final AtomicInteger requests = new AtomicInteger();

  /** Streams that were reset, and connections that were left. */
  final BlockingQueue<Frame> given = new LinkedBlockingQueue<>();

  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
  private final byte[] opening;

  WireTarget(Behaviour behaviour) throws IOException {
    this(Http2Wire.bytes(Http2Wire.SETTINGS, 0, 0), behaviour);
  }

  /** A target that begins with this. */
  WireTarget(byte[] opening, Behaviour behaviour) throws IOException {
    this.opening = opening;
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            while (true) {
              Socket socket = server.accept();
              Thread.ofPlatform().daemon().start(() -> talk(socket, behaviour));
            }
          } catch (IOException e) {
            // closed by the test
          }
        });
  }

  private void talk(Socket socket, Behaviour behaviour) {
    try (socket) {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      OutputStream out = socket.getOutputStream();
      in.readNBytes(Http2Wire.PREFACE.length);
      out.write(opening);
      while (true) {
        Frame frame = Frame.read(in);
        if (frame.type == Http2Wire.GOAWAY || frame.type == Http2Wire.RST_STREAM) {
          given.add(frame);
        } else if (frame.type == Http2Wire.HEADERS
            && !behaviour.serve(requests.incrementAndGet(), frame.stream, in, out)) {
          return;
        }
      }
    } catch (IOException e) {
      // the other side went away
    }
  }

  static void ok(OutputStream out, int stream, boolean last) throws IOException {
    head(out, stream, last, ":status", "200");
  }

  static void head(OutputStream out, int stream, boolean last, String... fields)
      throws IOException {
    out.write(
        Http2Wire.bytes(
            Http2Wire.HEADERS,
            Http2Wire.END_HEADERS | (last ? Http2Wire.END_STREAM : 0),
            stream,
            Http2Wire.block(fields)));
  }

  /** Offers it by HTTPS, known to be healthy, and not looked at again while the test lasts. */
  void serveBy(Rig rig, Tls tls) {
    Action action = new Action.Forward("tg");
    LoadBalancer plain = rig.loadBalancer("lb", "lb.elb.localhost", action, List.of());
    HealthCheck never =
        new HealthCheck(9, "/", status -> true, Duration.ofHours(1), Duration.ofHours(1), 10, 10);
    Balancer.Target target = new Balancer.Target("127.0.0.1", server.getLocalPort());
    rig.balancer.put(
        new LoadBalancer(
            plain.id(),
            plain.host(),
            plain.nodes(),
            plain.fronts(),
            List.of(new Listener("lb", rig.port, List.of(), action, tls)),
            Map.of(
                "tg",
                new TargetGroup(
                    "tg",
                    Version.HTTP2,
                    LoadBalancer.Choice.DEFAULT,
                    never,
                    List.of(new Member(target, "a", null, true)))),
            plain.settings()));
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}

package dev.muelle.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Opens many connections to a port of the loopback, asks each for {@code /} once, says so, and
 * keeps them until its input ends. Arguments: port, how many.
 */
public final class IdleConnections {

  private static final byte[] REQUEST =
      "GET / HTTP/1.1\r\nHost: bench\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private IdleConnections() {}

  /** See the class. */
  public static void main(String[] arguments) throws IOException {
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0]));
    int count = Integer.parseInt(arguments[1]);
    List<SocketChannel> open = new ArrayList<>();
    ByteBuffer answer = ByteBuffer.allocate(16 * 1024);
    for (int i = 0; i < count; i++) {
      SocketChannel channel = SocketChannel.open(address);
      open.add(channel);
      channel.write(ByteBuffer.wrap(REQUEST));
      answer.clear();
      while (answer.position() < 512) { // the body alone is so long
        if (channel.read(answer) < 0) {
          throw new IOException("connection " + i + " was closed");
        }
      }
    }
    System.out.println("open");
    System.in.read();
    for (SocketChannel channel : open) {
      channel.close();
    }
  }
}

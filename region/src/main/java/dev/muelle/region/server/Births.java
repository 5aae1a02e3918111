package dev.muelle.region.server;

import dev.muelle.network.SocketSpace;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;

/** Sockets that listen in a network that is not the host's. */
final class Births {

  private static final int BACKLOG = 1024;

  private Births() {}

  static ServerSocketChannel bind(SocketSpace space, InetSocketAddress address) throws IOException {
    try {
      return space.call(() -> {
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.INET);
        try {
          channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
          return channel.bind(address, BACKLOG);
        } catch (IOException e) {
          channel.close();
          throw e;
        }
      });
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("cannot listen at " + address, e);
    }
  }
}

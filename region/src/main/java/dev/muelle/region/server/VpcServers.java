package dev.muelle.region.server;

import dev.muelle.network.Network;
import dev.muelle.services.VpcHttp;
import dev.muelle.wire.http.HttpHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.util.function.UnaryOperator;

/** Serves at addresses inside VPCs, at sockets that were born there. */
public final class VpcServers implements VpcHttp {

  private static final int BACKLOG = 1024;

  private final Network network;

  private final UnaryOperator<HttpHandler> everywhere;

  /**
   * Servers inside the VPCs of a network.
   *
   * @param everywhere what each of them has besides its own
   */
  public VpcServers(Network network, UnaryOperator<HttpHandler> everywhere) {
    this.network = network;
    this.everywhere = everywhere;
  }

  @Override
  public Server serve(String vpcId, String address, int port, HttpHandler handler)
      throws IOException {
    ServerSocketChannel socket = bind(vpcId, new InetSocketAddress(address, port));
    HttpServer server = new HttpServer(vpcId + "-" + address, everywhere.apply(handler));
    try {
      server.listen(socket);
      server.start();
    } catch (IOException | RuntimeException e) {
      server.close();
      socket.close();
      throw e;
    }
    return server::close;
  }

  private ServerSocketChannel bind(String vpcId, InetSocketAddress address) throws IOException {
    try {
      return network
          .sockets(vpcId)
          .call(() -> {
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
      throw new IOException("cannot listen at " + address + " in " + vpcId, e);
    }
  }
}

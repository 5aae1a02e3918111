package dev.muelle.region.server;

import dev.muelle.network.Network;
import dev.muelle.services.VpcHttp;
import dev.muelle.wire.http.HttpHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.util.function.UnaryOperator;

/** Serves at addresses inside VPCs, at sockets that were born there. */
public final class VpcServers implements VpcHttp {

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
    ServerSocketChannel socket =
        Births.bind(network.sockets(vpcId), new InetSocketAddress(address, port));
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
}

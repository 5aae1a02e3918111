package dev.muelle.region.server;

import dev.muelle.network.Network;
import dev.muelle.network.Network.Door;
import dev.muelle.network.SocketSpace;
import dev.muelle.services.Api;
import dev.muelle.services.Issuer;
import dev.muelle.services.RegionalApis;
import dev.muelle.services.VpcHttp;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The region's own APIs for whoever is in its VPCs, by HTTPS only: at the server's public address,
 * where the Host header says which one is meant, and at the interfaces of VPC endpoints, each of
 * which has one.
 */
public final class ApiServers implements RegionalApis, AutoCloseable {

  private static final int PORT = 443;

  private final Network network;
  private final List<Api> all;
  private final SSLContext tls;
  private final Map<Place, HttpHandler> handlers = new ConcurrentHashMap<>();
  private volatile BiFunction<Api, String, HttpHandler> make =
      (api, region) -> request -> unknown(request);

  private volatile @Nullable String outside;
  private @Nullable HttpServer door;

  private record Place(Api api, String region) {}

  public ApiServers(
      Network network, List<Api> all, Issuer issuer, SecureRandom random, InstantSource clock) {
    this.network = network;
    this.all = List.copyOf(all);
    tls = new ApiCertificates(all, issuer, random, clock).context(random);
  }

  /** Who answers for an API in a region; to be said before anybody asks. */
  public void answer(BiFunction<Api, String, HttpHandler> makes) {
    make = makes;
  }

  /**
   * Opens the public address.
   *
   * @throws IllegalStateException if there is none left on this machine
   */
  public void open() throws IOException {
    Door opened = network.openDoor(PORT);
    door = serve("apis", opened.sockets(), opened.address(), this::byHost);
    outside = opened.address();
  }

  private HttpServer serve(String name, SocketSpace space, String address, HttpHandler handler)
      throws IOException {
    ServerSocketChannel socket = Births.bind(space, new InetSocketAddress(address, PORT));
    HttpServer server = new HttpServer(name, handler);
    try {
      server.listen(socket, tls);
      server.start();
    } catch (IOException | RuntimeException e) {
      server.close();
      socket.close();
      throw e;
    }
    return server;
  }

  private HttpResponse byHost(HttpRequest request) throws IOException {
    String host = request.header("host").orElse("").toLowerCase(Locale.ROOT);
    String name = host.replaceFirst(":[0-9]+$", "");
    for (Api api : all) {
      Optional<String> region = api.region(name);
      if (region.isPresent()) {
        return handler(api, region.get()).handle(request);
      }
    }
    return unknown(request);
  }

  private HttpHandler handler(Api api, String region) {
    return handlers.computeIfAbsent(new Place(api, region), p -> make.apply(p.api(), p.region()));
  }

  private static HttpResponse unknown(HttpRequest request) {
    return HttpResponse.of(
        404, "text/plain", "There is no " + request.header("host").orElse("host") + " here\n");
  }

  @Override
  public List<Api> all() {
    return all;
  }

  @Override
  public Optional<String> outside() {
    return Optional.ofNullable(outside);
  }

  @Override
  public VpcHttp.Server serve(String vpcId, String address, String region, Api api)
      throws IOException {
    HttpServer server =
        serve(
            vpcId + "-" + address,
            network.sockets(vpcId),
            address,
            request -> handler(api, region).handle(request));
    return server::close;
  }

  @Override
  public void close() {
    if (door != null) {
      door.close();
    }
  }
}

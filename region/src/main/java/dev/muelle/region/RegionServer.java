package dev.muelle.region;

import dev.muelle.balancer.netty.NettyBalancer;
import dev.muelle.balancer.tls.JdkTls;
import dev.muelle.engine.blob.FileBlobStore;
import dev.muelle.engine.oci.OciEngine;
import dev.muelle.loop.SystemTimers;
import dev.muelle.network.linux.LinuxNetwork;
import dev.muelle.region.DataDirectory.Running;
import dev.muelle.region.server.ApiServers;
import dev.muelle.region.server.HttpServer;
import dev.muelle.region.server.VpcServers;
import dev.muelle.services.Api;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.acm.Authority;
import dev.muelle.services.ecr.LocalImages;
import dev.muelle.services.ecr.Registry;
import dev.muelle.services.ecr.RegistryTokens;
import dev.muelle.services.sns.Senders;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.StoreException;
import dev.muelle.wire.Access;
import dev.muelle.wire.AccessKeys;
import dev.muelle.wire.AwsHandler;
import dev.muelle.wire.Mounts;
import dev.muelle.wire.http.HttpHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.SdkClient;

/** One server: the regions of all accounts over one data directory, at one port of the loopback. */
public final class RegionServer implements AutoCloseable {

  /** Answers 200 when the server is ready. */
  public static final String HEALTH_PATH = FrontDoor.HEALTH_PATH;

  /** Answers with the region's time. */
  public static final String TIME_PATH = FrontDoor.TIME_PATH;

  private static final Logger LOG = LoggerFactory.getLogger(RegionServer.class);
  private static final String DEFAULT_REGION = "us-east-1";

  /** What to close, the last opened first. */
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  private int port;

  private RegionServer() {}

  /**
   * How a server is to be.
   *
   * @param port 0 for any free one
   * @param open whether any credentials are accepted
   * @param mail the server that takes mail; null if there is none
   * @param speed how many times as fast as the machine's the region's time goes
   * @param resolution how finely the region measures: seconds of its time that divide a minute
   */
  public record Settings(
      int port, boolean open, Senders.@Nullable MailServer mail, int speed, int resolution) {}

  /**
   * Starts a server and takes up what an earlier one left running.
   *
   * @throws IOException with a sentence for a person, if it cannot
   */
  public static RegionServer start(DataDirectory directory, Settings settings) throws IOException {
    RegionServer server = new RegionServer();
    try {
      server.wire(directory, settings);
      return server;
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void wire(DataDirectory directory, Settings settings) throws IOException {
    JdkTls.prepare();
    directory.create();
    int wantedPort = settings.port();
    SecureRandom random = new SecureRandom();
    SqliteStore store = opened(open(directory));
    RootKey key = RootKey.ensure(directory.credentials(), random);
    SystemTimers machine = opened(new SystemTimers());
    RegionClock clock = opened(RegionClock.open(store, machine, settings.speed()));
    FileBlobStore blobs = FileBlobStore.open(directory.blobs(), store, machine);
    RegistryTokens tokens = RegistryTokens.open(directory.registrySecret(), random, machine);
    Authority authority =
        Authority.open(directory.authorityKey(), directory.authorityCertificate(), random, machine);
    SessionKeys sessions = new SessionKeys(store.in("sessions"), machine, random);
    String registryHost = "localhost:" + wantedPort;
    ObjectFiles objects = new ObjectFiles(directory.objects(), machine, random, registryHost);
    Senders senders =
        opened(
            new Senders(
                store, authority, random, machine, registryHost, this::ownPort, settings.mail()));
    LocalImages images =
        new LocalImages(store, registryHost, new Scope(RootKey.ACCOUNT, DEFAULT_REGION));
    LinuxNetwork network = opened(new LinuxNetwork(directory.instance()));
    OciEngine engine =
        opened(new OciEngine(directory.instance(), directory.engine(), blobs, images, machine));
    NettyBalancer balancer =
        opened(
            new NettyBalancer(
                machine,
                new SplittableRandom(random.nextLong()),
                Runtime.getRuntime().availableProcessors()));
    PublicKeys keys = new PublicKeys();
    TrustAnchor anchor = new TrustAnchor(directory.authorityCertificate());
    Map<Api, Optional<Class<? extends SdkClient>>> offered = Mounted.apis();
    ApiServers apis =
        new ApiServers(network, List.copyOf(offered.keySet()), authority, random, machine);
    Regions regions =
        opened(
            new Regions(
                new Region.Shared(
                    store,
                    clock.timers(),
                    Duration.ofSeconds(settings.resolution()),
                    random,
                    network,
                    engine,
                    balancer,
                    blobs,
                    tokens,
                    registryHost,
                    authority,
                    new VpcServers(network, handler -> anchor.beside(keys.beside(handler))),
                    apis,
                    sessions,
                    objects,
                    senders)));
    keys.have(regions::publicKey);
    AccessKeys known = id -> key.keys().find(id).or(() -> sessions.find(id));
    Access access = settings.open() ? Access.open() : Access.verified(known);
    Mounts services = Mounted.services(regions::of);
    Registry registry = new Registry(scope -> regions.of(scope).ecr, tokens);
    apis.answer((api, region) ->
        Objects.requireNonNull(offered.get(api))
            .<HttpHandler>map(
                client -> AwsHandler.of(region, services.only(client), access, machine, random))
            .orElse(registry));
    FrontDoor door =
        new FrontDoor(
            registry,
            objects,
            new MessageLinks(regions, senders, machine, random),
            new AwsHandler(services, access, machine, random),
            clock.timers());
    HttpServer http = new HttpServer("api", anchor.beside(keys.beside(door)), regions::session);
    try {
      port = http.listen("127.0.0.1", wantedPort);
    } catch (IOException e) {
      throw new IOException(
          "port "
              + wantedPort
              + " of 127.0.0.1 cannot be used: "
              + e.getMessage()
              + "\n  ./muelle up --port NUMBER takes another",
          e);
    }
    listenOnIpv6(http);
    openOutside(opened(apis));
    regions.start();
    http.start();
    open.push(http);
    directory.announce(
        new Running(
            ProcessHandle.current().pid(),
            port,
            settings.open(),
            settings.speed(),
            settings.resolution(),
            clock.ahead()));
  }

  /** What is published leaves by no door that only this machine may use: not by our own either. */
  private Optional<String> ownPort(InetSocketAddress address) {
    return address.getPort() == port && address.getAddress().isLoopbackAddress()
        ? Optional.of("port " + port + " of this machine is the region's own")
        : Optional.empty();
  }

  private static SqliteStore open(DataDirectory directory) throws IOException {
    try {
      return SqliteStore.open(directory.database());
    } catch (StoreException e) {
      throw new IOException(
          e.getMessage() + "\n  ./muelle up --data DIR keeps everything in another directory", e);
    }
  }

  /** Tasks and instances whose VPC leads them out reach the APIs; without, all else is as it is. */
  private static void openOutside(ApiServers apis) {
    try {
      apis.open();
    } catch (IOException | IllegalStateException e) {
      LOG.warn("the region's own APIs have no public address", e);
    }
  }

  /** Clients that resolve localhost to ::1 first are served too, where there is IPv6. */
  private void listenOnIpv6(HttpServer http) {
    try {
      http.listen("::1", port);
    } catch (IOException e) {
      LOG.info("not listening at [::1]: {}", e.getMessage());
    }
  }

  private <T extends AutoCloseable> T opened(T part) {
    open.push(part);
    return part;
  }

  public int port() {
    return port;
  }

  /** Stops answering and lets go; containers keep running. */
  @Override
  public void close() {
    while (!open.isEmpty()) {
      AutoCloseable part = open.pop();
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("{} did not close", part.getClass().getSimpleName(), e);
      }
    }
  }
}

package dev.muelle.services.elasticloadbalancingv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.netty.NettyBalancer;
import dev.muelle.loop.SystemTimers;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Scope;
import dev.muelle.services.acm.Acm;
import dev.muelle.services.acm.Authority;
import dev.muelle.services.arczonalshift.ArcZonalShift;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.elasticloadbalancingv2.oidc.OidcGates;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.wire.Access;
import dev.muelle.wire.AwsHandler;
import dev.muelle.wire.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerStateEnum;

/**
 * A server's parts around ELB: one store, one network, one balancer, and the services of any number
 * of accounts and regions over them.
 */
final class Machine implements AutoCloseable {

  static final Scope HOME = new Scope("000000000000", "us-east-1");
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  final SystemTimers timers = new SystemTimers();
  final SqliteStore store;
  final Network network;
  NettyBalancer balancer;
  final ObjectFiles objects;
  private final Authority authority;
  private final Map<Scope, Services> scopes = new HashMap<>();

  record Services(Ec2 ec2, Acm acm, ElbV2 elb, ElasticLoadBalancingV2Client client) {}

  Machine(Path directory, Network network) {
    store = SqliteStore.open(directory.resolve("db"));
    try {
      authority =
          Authority.open(
              directory.resolve("authority.key"),
              directory.resolve("authority.pem"),
              new SecureRandom(),
              timers);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    objects =
        new ObjectFiles(directory.resolve("objects"), timers, new SecureRandom(), "localhost:1");
    this.network = network;
    balancer = balancer();
  }

  private NettyBalancer balancer() {
    return new NettyBalancer(timers, new SplittableRandom(7), 2);
  }

  Services in(Scope scope) {
    return scopes.computeIfAbsent(scope, this::start);
  }

  private Services start(Scope scope) {
    Random random = new Random();
    Ids ids = new Ids(random);
    var view = store.in(scope.storeScope());
    Ec2 ec2 =
        new Ec2(
            scope,
            view,
            timers,
            ids,
            random,
            new Iam(scope, store.in(scope.account() + "/global"), timers, ids),
            network);
    ec2.start();
    Acm acm = new Acm(scope, view, timers, ids, random, authority);
    acm.start();
    ElbV2 elb =
        new ElbV2(
            scope,
            view,
            timers,
            ids,
            random,
            ec2,
            ec2::denyAllIgwTraffic,
            acm,
            network,
            balancer,
            objects,
            Measurements.NONE);
    elb.start();
    var handler =
        new AwsHandler(
            new Mounts().mount(ElasticLoadBalancingV2Client.class, caller -> elb),
            Access.open(),
            timers,
            random);
    var client =
        ElasticLoadBalancingV2Client.builder()
            .region(Region.of(scope.region()))
            .endpointOverride(URI.create("http://localhost:4566"))
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create(scope.account(), "x")))
            .httpClient(new Loopback(handler))
            .build();
    return new Services(ec2, acm, elb, client);
  }

  ElasticLoadBalancingV2Client elb() {
    return in(HOME).client();
  }

  /** Gates over the home region's store. */
  OidcGates oidc() {
    return new OidcGates(
        store.in(HOME.storeScope()),
        timers,
        new Ids(new Random()),
        new SecureRandom(),
        acm().authority());
  }

  /** For clients that trust the region's authority only. */
  SSLContext trust() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setCertificateEntry("authority", authority.certificate());
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(store);
    SSLContext trust = SSLContext.getInstance("TLS");
    trust.init(null, managers.getTrustManagers(), null);
    return trust;
  }

  /** Zonal shifts of the home region. */
  ArcZonalShift arc() {
    ArcZonalShift arc =
        new ArcZonalShift(
            store.in(HOME.storeScope()),
            timers,
            new Ids(new Random()),
            new Random(),
            ec2(),
            in(HOME).elb());
    arc.start();
    return arc;
  }

  /** Shifts a load balancer away from the zone of this number; the shift's id. */
  String shift(ArcZonalShift arc, String balancer, int zone) {
    String away = subnets().get(zone).availabilityZoneId();
    return arc.startZonalShift(
            r -> r.resourceIdentifier(balancer).awayFrom(away).expiresIn("1h").comment("away"))
        .zonalShiftId();
  }

  Acm acm() {
    return in(HOME).acm();
  }

  Ec2 ec2() {
    return in(HOME).ec2();
  }

  /** A new server over the same store, network and kernel objects. */
  void restart() {
    List<Scope> known = List.copyOf(scopes.keySet());
    stop();
    balancer = balancer();
    known.forEach(this::in);
  }

  /** The servers end; the network is still there to be taken down. */
  void stop() {
    scopes
        .values()
        .forEach(services -> {
          services.elb().close();
          services.acm().close();
          services.ec2().close();
        });
    scopes.clear();
    balancer.close();
  }

  /** The subnets of the default VPC, one in each zone, by zone. */
  List<Subnet> subnets() {
    return ec2()
        .describeSubnets(
            r -> r.filters(Filter.builder().name("default-for-az").values("true").build()))
        .subnets()
        .stream()
        .sorted((a, b) -> a.availabilityZone().compareTo(b.availabilityZone()))
        .toList();
  }

  List<String> subnetIds() {
    return subnets().stream().map(Subnet::subnetId).toList();
  }

  /** Lets the default VPC and its subnets carry IPv6. */
  void carryIpv6() {
    String vpc = vpc();
    ec2().associateVpcCidrBlock(r -> r.vpcId(vpc).amazonProvidedIpv6CidrBlock(true));
    Cidr6 block =
        Cidr6.parse(
            ec2()
                .describeVpcs(r -> r.vpcIds(vpc))
                .vpcs()
                .getFirst()
                .ipv6CidrBlockAssociationSet()
                .getFirst()
                .ipv6CidrBlock());
    List<String> subnets = subnetIds();
    for (int i = 0; i < subnets.size(); i++) {
      String subnet = subnets.get(i);
      String own = new Cidr6(block.high() | i, block.low(), 64).toString();
      ec2().associateSubnetCidrBlock(r -> r.subnetId(subnet).ipv6CidrBlock(own));
    }
  }

  String vpc() {
    return subnets().getFirst().vpcId();
  }

  /** A security group that lets everybody in. */
  String openGroup(Ec2 ec2, String name) {
    String group = ec2.createSecurityGroup(r -> r.groupName(name).description(name)).groupId();
    ec2.authorizeSecurityGroupIngress(r ->
        r.groupId(group)
            .ipPermissions(
                IpPermission.builder()
                    .ipProtocol("-1")
                    .ipRanges(IpRange.builder().cidrIp("0.0.0.0/0").build())
                    .build()));
    return group;
  }

  String openGroup() {
    return ec2().describeSecurityGroups().securityGroups().stream()
        .filter(group -> group.groupName().equals("open"))
        .map(SecurityGroup::groupId)
        .findFirst()
        .orElseGet(() -> openGroup(ec2(), "open"));
  }

  /** An internet-facing load balancer that lets everybody in. */
  LoadBalancer balancer(String name) {
    List<String> subnets = subnetIds();
    String group = openGroup();
    return elb()
        .createLoadBalancer(r -> r.name(name).subnets(subnets).securityGroups(group))
        .loadBalancers()
        .getFirst();
  }

  LoadBalancer active(String arn) throws InterruptedException {
    return until(
        LoadBalancerStateEnum.ACTIVE, () -> described(arn).state().code(), () -> described(arn));
  }

  LoadBalancer described(String arn) {
    return elb().describeLoadBalancers(r -> r.loadBalancerArns(arn)).loadBalancers().getFirst();
  }

  static Action says(String text) {
    return Action.builder()
        .type(ActionTypeEnum.FIXED_RESPONSE)
        .fixedResponseConfig(f -> f.statusCode("200").contentType("text/plain").messageBody(text))
        .build();
  }

  static Action to(String group) {
    return Action.builder().type(ActionTypeEnum.FORWARD).targetGroupArn(group).build();
  }

  /** Below the ports that the kernel gives to clients: none of them takes it meanwhile. */
  static int freePort() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
      try (ServerSocket free = new ServerSocket(port)) {
        return free.getLocalPort();
      } catch (IOException e) {
        // taken: another
      }
    }
  }

  /** What a client of the host gets; the whole answer. */
  static String get(String address, int port, String host, String... headers) throws IOException {
    return getPath("/", address, port, host, headers);
  }

  static String getPath(String path, String address, int port, String host, String... headers)
      throws IOException {
    try (Socket socket = new Socket(InetAddress.ofLiteral(address), port)) {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      String head =
          "GET "
              + path
              + " HTTP/1.1\r\nHost: "
              + host
              + "\r\nConnection: close\r\n"
              + String.join("", List.of(headers).stream().map(h -> h + "\r\n").toList())
              + "\r\n";
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  /** Whether anything at all is answered there. */
  static boolean answers(String address, int port) {
    try {
      return !get(address, port, "x").isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  static void until(Object wanted, Callable<?> seen) throws InterruptedException {
    until(wanted, seen, () -> true);
  }

  /** Looks until it sees what is wanted. */
  static <T> T until(Object wanted, Callable<?> seen, Callable<T> then)
      throws InterruptedException {
    Instant end = Instant.now().plus(PATIENCE);
    try {
      Object now = seen.call();
      while (!wanted.equals(now) && Instant.now().isBefore(end)) {
        Thread.sleep(10);
        now = seen.call();
      }
      assertEquals(wanted, now);
      return then.call();
    } catch (InterruptedException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  static void contains(String whole, String part) {
    assertTrue(whole.contains(part), () -> "'" + part + "' is not in: " + whole);
  }

  @Override
  public void close() {
    stop();
    network.close();
    store.close();
    timers.close();
  }
}

package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.ZonalShifts;
import dev.muelle.services.arczonalshift.ArcZonalShift;
import dev.muelle.services.elasticloadbalancingv2.measure.Measuring;
import dev.muelle.store.Store;
import dev.muelle.wire.Access;
import dev.muelle.wire.AwsHandler;
import dev.muelle.wire.Mounts;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.arczonalshift.ArcZonalShiftClient;
import software.amazon.awssdk.services.arczonalshift.model.ArcZonalShiftException;
import software.amazon.awssdk.services.arczonalshift.model.ConflictException;
import software.amazon.awssdk.services.arczonalshift.model.ConflictExceptionReason;
import software.amazon.awssdk.services.arczonalshift.model.GetManagedResourceResponse;
import software.amazon.awssdk.services.arczonalshift.model.ManagedResourceSummary;
import software.amazon.awssdk.services.arczonalshift.model.ResourceNotFoundException;
import software.amazon.awssdk.services.arczonalshift.model.StartZonalShiftResponse;
import software.amazon.awssdk.services.arczonalshift.model.UpdateZonalShiftResponse;
import software.amazon.awssdk.services.arczonalshift.model.ValidationException;
import software.amazon.awssdk.services.arczonalshift.model.ValidationExceptionReason;
import software.amazon.awssdk.services.arczonalshift.model.ZonalShiftStatus;
import software.amazon.awssdk.services.arczonalshift.model.ZonalShiftSummary;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;

/** Shifts of load balancers, asked for through the SDK's own client, in virtual time. */
class ZonalShiftTest extends ElbV2World {

  private static final Instant START = Instant.parse("2026-02-03T10:00:30Z");

  private final VirtualTimers timers = new VirtualTimers(START);
  private final Map<Metric, Double> told = new ConcurrentHashMap<>();
  private LoadBalancer balancer;
  private String arn;
  private ArcZonalShift service;
  private ArcZonalShiftClient arc;

  @BeforeEach
  void begin() throws Exception {
    balancer = machine.active(machine.balancer("web").loadBalancerArn());
    arn = balancer.loadBalancerArn();
    serve();
  }

  private void serve() {
    service =
        new ArcZonalShift(
            machine.store.in(Machine.HOME.storeScope()),
            timers,
            new Ids(new Random()),
            new Random(),
            machine.ec2(),
            machine.in(Machine.HOME).elb());
    service.start();
    arc =
        ArcZonalShiftClient.builder()
            .region(Region.US_EAST_1)
            .endpointOverride(URI.create("http://localhost:4566"))
            .credentialsProvider(
                StaticCredentialsProvider.create(
                    AwsBasicCredentials.create(Machine.HOME.account(), "x")))
            .httpClient(
                new Loopback(
                    new AwsHandler(
                        new Mounts().mount(ArcZonalShiftClient.class, caller -> service),
                        Access.open(),
                        timers,
                        new Random())))
            .build();
  }

  @AfterEach
  void end() {
    service.close();
  }

  private String zoneId(String zone) {
    return machine.ec2().describeAvailabilityZones().availabilityZones().stream()
        .filter(one -> one.zoneName().equals(zone))
        .findFirst()
        .orElseThrow()
        .zoneId();
  }

  private String zone(int number) {
    return machine.subnets().get(number).availabilityZone();
  }

  private StartZonalShiftResponse start(int zone, String expiresIn) {
    return arc.startZonalShift(r ->
        r.resourceIdentifier(arn)
            .awayFrom(zoneId(zone(zone)))
            .expiresIn(expiresIn)
            .comment("a bad deployment"));
  }

  /** What the load balancer's name means: the zones of these addresses. */
  private Set<String> named() {
    Map<String, String> zones = new HashMap<>();
    machine
        .ec2()
        .describeNetworkInterfaces()
        .networkInterfaces()
        .forEach(eni -> zones.put(eni.privateIpAddress(), eni.availabilityZone()));
    Set<String> all = new TreeSet<>();
    network
        .resolve(machine.vpc(), balancer.dnsName().toLowerCase(Locale.ROOT))
        .orElseThrow()
        .forEach(address -> all.add(zones.get(address)));
    return all;
  }

  @Test
  void aShiftTakesAZoneOutOfTheNameUntilItIsCanceledOrOver() throws Exception {
    assertThrows(ResourceNotFoundException.class, () -> start(0, "1h"), "it is not managed yet");
    assertEquals(List.of(), arc.listManagedResources(r -> {}).items());
    change(arn, "zonal_shift.config.enabled", "true");
    Set<String> all = Set.of(zone(0), zone(1), zone(2));
    assertEquals(all, named());
    ManagedResourceSummary managed = arc.listManagedResources(r -> {}).items().getFirst();
    assertEquals(arn, managed.arn());
    assertEquals("web", managed.name());
    assertEquals(3, managed.availabilityZones().size());

    StartZonalShiftResponse started = start(0, "90m");
    assertEquals(201, started.sdkHttpResponse().statusCode());
    assertEquals(ZonalShiftStatus.ACTIVE, started.status());
    assertEquals(START, started.startTime());
    assertEquals(START.plus(Duration.ofMinutes(90)), started.expiryTime());
    assertEquals(Set.of(zone(1), zone(2)), named());
    GetManagedResourceResponse seen = arc.getManagedResource(r -> r.resourceIdentifier(arn));
    assertEquals(
        Map.of(zoneId(zone(0)), 0f, zoneId(zone(1)), 1f, zoneId(zone(2)), 1f),
        seen.appliedWeights());
    assertEquals(started.zonalShiftId(), seen.zonalShifts().getFirst().zonalShiftId());
    assertEquals("APPLIED", seen.zonalShifts().getFirst().appliedStatusAsString());

    ConflictException twice = assertThrows(ConflictException.class, () -> start(1, "1h"));
    assertEquals(ConflictExceptionReason.ZONAL_SHIFT_ALREADY_EXISTS, twice.reason());
    assertEquals(started.zonalShiftId(), twice.zonalShiftId());
    assertEquals(409, twice.statusCode());

    // Another server goes on with it, and its time may be made longer.
    service.close();
    serve();
    timers.advance(Duration.ofMinutes(80));
    UpdateZonalShiftResponse longer =
        arc.updateZonalShift(r -> r.zonalShiftId(started.zonalShiftId()).expiresIn("2h"));
    assertEquals(START.plus(Duration.ofMinutes(200)), longer.expiryTime());
    assertEquals("a bad deployment", longer.comment());
    timers.advance(Duration.ofMinutes(119));
    timers.settle();
    assertEquals(Set.of(zone(1), zone(2)), named());
    timers.advance(Duration.ofMinutes(1));
    until(all, this::named);
    assertEquals(List.of(), arc.listZonalShifts(r -> r.status(ZonalShiftStatus.ACTIVE)).items());
    ConflictException over =
        assertThrows(
            ConflictException.class,
            () -> arc.cancelZonalShift(r -> r.zonalShiftId(started.zonalShiftId())));
    assertEquals(ConflictExceptionReason.ZONAL_SHIFT_STATUS_NOT_ACTIVE, over.reason());

    StartZonalShiftResponse second = start(1, "72h");
    assertEquals(Set.of(zone(0), zone(2)), named());
    change(arn, "zonal_shift.config.enabled", "false");
    assertEquals(all, named(), "it does not let itself be shifted any more");
    change(arn, "zonal_shift.config.enabled", "true");
    assertEquals(
        ZonalShiftStatus.CANCELED,
        arc.cancelZonalShift(r -> r.zonalShiftId(second.zonalShiftId())).status());
    assertEquals(all, named());
    List<ZonalShiftSummary> past =
        arc.listZonalShiftsPaginator(r -> r.maxResults(1).resourceIdentifier(arn)).items().stream()
            .toList();
    assertEquals(
        List.of(ZonalShiftStatus.EXPIRED, ZonalShiftStatus.CANCELED),
        past.stream().map(ZonalShiftSummary::status).toList());
  }

  @Test
  void aShiftEndsWithItsLoadBalancer() {
    change(arn, "zonal_shift.config.enabled", "true");
    String shift = start(0, "72h").zonalShiftId();
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
    ZonalShiftSummary ended = arc.listZonalShifts(r -> {}).items().getFirst();
    assertEquals(shift, ended.zonalShiftId());
    assertEquals(ZonalShiftStatus.CANCELED, ended.status());
    ConflictException over =
        assertThrows(
            ConflictException.class, () -> arc.cancelZonalShift(r -> r.zonalShiftId(shift)));
    assertEquals(ConflictExceptionReason.ZONAL_SHIFT_STATUS_NOT_ACTIVE, over.reason());
  }

  @Test
  void ofShiftsThatAreOverTheLastThousandAreKept() {
    change(arn, "zonal_shift.config.enabled", "true");
    Store store = machine.store.in(Machine.HOME.storeScope());
    store.write(tx -> {
      for (int i = 0; i <= 1_000; i++) {
        Instant then = START.minusSeconds(2_000 - i);
        tx.put(
            ZonalShifts.TABLE,
            "over-" + i,
            new ZonalShifts.Shift(
                "over-" + i, arn, "", "", then, then, "", ZonalShifts.Status.CANCELED));
      }
      return true;
    });
    String started = start(0, "1h").zonalShiftId();
    assertEquals(1_001, store.read(tx -> tx.list(ZonalShifts.TABLE)).size());
    assertTrue(store.read(tx -> tx.get(ZonalShifts.TABLE, "over-0")).isEmpty(), "the oldest");
    assertTrue(store.read(tx -> tx.get(ZonalShifts.TABLE, started)).isPresent());
  }

  @Test
  void whatIsWrongIsRefused() {
    change(arn, "zonal_shift.config.enabled", "true");
    for (String wrong : List.of("73h", "4321m", "0m", "1d", "h", "100000")) {
      ValidationException why = assertThrows(ValidationException.class, () -> start(0, wrong));
      assertEquals(ValidationExceptionReason.INVALID_EXPIRES_IN, why.reason(), wrong);
      assertEquals(400, why.statusCode());
    }
    ValidationException zone =
        assertThrows(
            ValidationException.class,
            () ->
                arc.startZonalShift(r ->
                    r.resourceIdentifier(arn).awayFrom("use1-az9").expiresIn("1h").comment("")));
    assertEquals(ValidationExceptionReason.INVALID_AZ, zone.reason());
    ValidationException resource =
        assertThrows(
            ValidationException.class,
            () -> arc.getManagedResource(r -> r.resourceIdentifier("none-of-ours")));
    assertEquals(ValidationExceptionReason.INVALID_RESOURCE_IDENTIFIER, resource.reason());
    assertThrows(
        ResourceNotFoundException.class,
        () -> arc.getManagedResource(r -> r.resourceIdentifier(arn + "0")));
    assertThrows(
        ResourceNotFoundException.class,
        () -> arc.cancelZonalShift(r -> r.zonalShiftId("not-there")));
    for (String malformed : List.of("short", "not_there", "not there", "x".repeat(37))) {
      ValidationException id =
          assertThrows(
              ValidationException.class,
              () -> arc.cancelZonalShift(r -> r.zonalShiftId(malformed)),
              malformed);
      assertTrue(id.getMessage().contains("'" + malformed + "' at 'zonalShiftId'"));
      assertThrows(
          ValidationException.class,
          () -> arc.updateZonalShift(r -> r.zonalShiftId(malformed).comment("x")),
          malformed);
    }
    ValidationException token =
        assertThrows(
            ValidationException.class, () -> arc.listZonalShifts(r -> r.nextToken("none")));
    assertEquals(ValidationExceptionReason.INVALID_TOKEN, token.reason());
    assertThrows(ValidationException.class, () -> arc.listZonalShifts(r -> r.maxResults(0)));
    ArcZonalShiftException unbuilt =
        assertThrows(ArcZonalShiftException.class, () -> arc.listAutoshifts(r -> {}));
    assertEquals("NotImplemented", unbuilt.awsErrorDetails().errorCode());
    assertTrue(unbuilt.getMessage().contains("ListAutoshifts"), unbuilt.getMessage());
  }

  private String groupOf(String protocol) {
    return elb.createTargetGroup(r ->
            r.name("g-" + protocol.toLowerCase(Locale.ROOT))
                .protocol(protocol)
                .port(80)
                .targetType("ip")
                .vpcId(machine.vpc()))
        .targetGroups()
        .getFirst()
        .targetGroupArn();
  }

  private Set<String> overrides(String group) {
    Set<String> all = new TreeSet<>();
    elb.describeTargetHealth(r -> r.targetGroupArn(group))
        .targetHealthDescriptions()
        .forEach(one ->
            all.add(
                one.target().availabilityZone()
                    + " "
                    + (one.administrativeOverride() == null
                        ? "none"
                        : one.administrativeOverride().stateAsString())));
    return all;
  }

  @Test
  void targetsSayThatTheyAreOverriddenAndAreCounted() {
    change(arn, "zonal_shift.config.enabled", "true");
    String group = groupOf("HTTP");
    List<TargetDescription> targets =
        machine.subnets().subList(0, 2).stream()
            .map(subnet ->
                TargetDescription.builder()
                    .id(subnet.cidrBlock().replaceAll("[0-9]+/[0-9]+$", "77"))
                    .build())
            .toList();
    elb.registerTargets(r -> r.targetGroupArn(group).targets(targets));
    assertEquals(Set.of(zone(0) + " none", zone(1) + " none"), overrides(group));
    int port = Machine.freePort();
    elb.createListener(
        r -> r.loadBalancerArn(arn).protocol("HTTP").port(port).defaultActions(Machine.to(group)));
    assertEquals(Set.of(zone(0) + " no_override", zone(1) + " no_override"), overrides(group));
    Measurements measurements = metric -> (value, times) -> told.put(metric, value);
    try (Measuring measuring =
        new Measuring(
            machine.store.in(Machine.HOME.storeScope()),
            timers,
            network::packets,
            machine.balancer,
            machine.oidc(),
            measurements)) {
      measuring.start();
      start(0, "1h");
      assertEquals(
          Set.of(zone(0) + " zonal_shift_active", zone(1) + " no_override"), overrides(group));
      timers.advance(Duration.ofSeconds(20));
      Map<Map<String, String>, Double> shifted = new HashMap<>();
      told.forEach((metric, value) -> {
        if (metric.name().equals("ActiveZonalShiftHostCount")) {
          shifted.put(metric.dimensions(), value);
        }
      });
      Map<String, String> whole =
          Map.of(
              "LoadBalancer",
              arn.split(":loadbalancer/", -1)[1],
              "TargetGroup",
              group.substring(group.indexOf("targetgroup/")));
      Map<String, String> part = new HashMap<>(whole);
      part.put("AvailabilityZone", zone(0));
      assertEquals(Map.of(whole, 1.0, part, 1.0), shifted);
    }
    elb.modifyTargetGroupAttributes(r ->
        r.targetGroupArn(group)
            .attributes(
                TargetGroupAttribute.builder()
                    .key("load_balancing.cross_zone.enabled")
                    .value("false")
                    .build()));
    assertEquals(
        Set.of(zone(0) + " zonal_shift_delegated_to_dns", zone(1) + " no_override"),
        overrides(group));
  }

  @Test
  void whichNetworkLoadBalancersMayBeShifted() {
    arn =
        elb.createLoadBalancer(r -> r.name("flows").type("network").subnets(machine.subnetIds()))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn();
    String datagrams = groupOf("UDP");
    int port = Machine.freePort();
    elb.createListener(r ->
        r.loadBalancerArn(arn).protocol("UDP").port(port).defaultActions(Machine.to(datagrams)));
    change(arn, "zonal_shift.config.enabled", "true"); // without cross-zone any group is fine
    InvalidConfigurationRequestException why =
        assertThrows(
            InvalidConfigurationRequestException.class,
            () -> change(arn, "load_balancing.cross_zone.enabled", "true"));
    assertTrue(why.getMessage().contains(datagrams), why.getMessage());
    String flows = groupOf("TCP");
    elb.modifyTargetGroupAttributes(r ->
        r.targetGroupArn(flows)
            .attributes(
                TargetGroupAttribute.builder()
                    .key("target_health_state.unhealthy.connection_termination.enabled")
                    .value("false")
                    .build()));
    String listener =
        elb.describeListeners(r -> r.loadBalancerArn(arn)).listeners().getFirst().listenerArn();
    elb.deleteListener(r -> r.listenerArn(listener));
    change(arn, "load_balancing.cross_zone.enabled", "true");
    elb.createListener(
        r -> r.loadBalancerArn(arn).protocol("TCP").port(port).defaultActions(Machine.to(flows)));
    assertThrows(
        InvalidConfigurationRequestException.class,
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(arn)
                    .protocol("UDP")
                    .port(port + 1)
                    .defaultActions(Machine.to(datagrams))));
    assertThrows(
        InvalidConfigurationRequestException.class,
        () ->
            elb.modifyTargetGroupAttributes(r ->
                r.targetGroupArn(flows)
                    .attributes(
                        TargetGroupAttribute.builder()
                            .key("target_health_state.unhealthy.connection_termination.enabled")
                            .value("true")
                            .build())));
  }
}

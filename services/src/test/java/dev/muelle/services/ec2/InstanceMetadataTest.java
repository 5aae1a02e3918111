package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.loop.SystemTimers;
import dev.muelle.network.Network.Link;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.InstanceLoads;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.VpcHttp;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.wire.AccessKeys.AccessKey;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.HttpTokensState;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataEndpointState;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataTagsState;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterfaceSpecification;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.InstanceStatus;
import software.amazon.awssdk.services.ec2.model.KeyType;
import software.amazon.awssdk.services.ec2.model.MonitoringState;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.Tag;

/** What an instance is told of itself, what others are told of it, and who may ask. */
class InstanceMetadataTest {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final String TOKEN = "X-aws-ec2-metadata-token";
  private static final String LIFE = "X-aws-ec2-metadata-token-ttl-seconds";
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String SCRIPT = "#!/bin/bash\necho ECS_CLUSTER=lab >> /etc/ecs/ecs.config\n";

  @TempDir private Path directory;
  private SystemTimers timers;
  private SqliteStore file;
  private SimNetwork network;
  private SessionKeys sessions;
  private EventOutbox events;
  private Ec2 ec2;

  /** What is served now, by VPC. */
  private final Map<String, HttpHandler> served = new ConcurrentHashMap<>();

  @BeforeEach
  void open() {
    timers = new SystemTimers();
    file = SqliteStore.open(directory.resolve("db"));
    network = new SimNetwork(timers);
    sessions = new SessionKeys(file.in("sessions"), timers, new Random());
    ec2 = started();
  }

  private Ec2 started() {
    Ids ids = new Ids(new Random());
    Iam iam = new Iam(SCOPE, file.in("000000000000/global"), timers, ids);
    events = new EventOutbox(ids);
    events.listen((source, detailType) -> source.equals("aws.ec2"));
    Ec2 made =
        new Ec2(
            SCOPE,
            file.in(SCOPE.storeScope()),
            timers,
            ids,
            new Random(7),
            iam,
            network,
            100,
            new Ec2.Around(
                this::serve,
                sessions,
                events,
                Measurements.NONE,
                InstanceLoads.NONE,
                InstanceGroups.NONE,
                Ec2.NO_LOGS));
    made.start();
    return made;
  }

  private VpcHttp.Server serve(String vpcId, String address, int port, HttpHandler handler) {
    assertEquals("169.254.169.254:80", address + ":" + port);
    served.put(vpcId, handler);
    return () -> served.remove(vpcId);
  }

  @AfterEach
  void close() {
    ec2.close();
    assertEquals(Map.of(), served);
    network.close();
    file.close();
    timers.close();
  }

  private static void refused(String code, Executable call) {
    Ec2Exception refusal = assertThrows(Ec2Exception.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode(), refusal.getMessage());
  }

  private Instance running(java.util.function.Consumer<RunInstancesRequest.Builder> more) {
    String image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    String id =
        ec2.runInstances(
                r -> {
                  r.imageId(image)
                      .instanceType("t3.micro")
                      .minCount(1)
                      .maxCount(1)
                      .networkInterfaces(
                          InstanceNetworkInterfaceSpecification.builder()
                              .deviceIndex(0)
                              .associatePublicIpAddress(true)
                              .build());
                  more.accept(r);
                })
            .instances()
            .getFirst()
            .instanceId();
    return await(id, InstanceStateName.RUNNING);
  }

  private Instance await(String id, InstanceStateName state) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      Instance now = now(id);
      if (now.state().name() == state) {
        return now;
      }
      assertTrue(System.nanoTime() < end, () -> "it is " + now.state());
      timers.sleep(Duration.ofMillis(5));
    }
  }

  private Instance now(String id) {
    return ec2.describeInstances(r -> r.instanceIds(id))
        .reservations()
        .getFirst()
        .instances()
        .getFirst();
  }

  private record Answer(int status, String text, int hops, Map<String, List<String>> headers) {}

  private Answer ask(Instance who, String method, String path, Map<String, String> headers)
      throws Exception {
    return ask(who.vpcId(), who.privateIpAddress(), method, path, headers);
  }

  private Answer ask(
      String vpcId, String address, String method, String path, Map<String, String> headers)
      throws Exception {
    Map<String, List<String>> sent = new ConcurrentHashMap<>();
    headers.forEach(
        (name, value) -> sent.put(name.toLowerCase(java.util.Locale.ROOT), List.of(value)));
    HttpResponse answer =
        served
            .get(vpcId)
            .handle(
                new HttpRequest(method, path, "", sent, address, InputStream.nullInputStream()));
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    answer.body().writeTo(body);
    return new Answer(
        answer.status(),
        body.toString(StandardCharsets.ISO_8859_1),
        answer.hops(),
        answer.headers());
  }

  private String token(Instance who) throws Exception {
    Answer answer = ask(who, "PUT", "/latest/api/token", Map.of(LIFE, "60"));
    assertEquals(200, answer.status(), answer.text());
    assertEquals(List.of("60"), answer.headers().get(LIFE));
    return answer.text();
  }

  private String get(Instance who, String path) throws Exception {
    Answer answer = ask(who, "GET", path, Map.of(TOKEN, token(who)));
    assertEquals(200, answer.status(), path);
    return answer.text();
  }

  private int status(Instance who, String path) throws Exception {
    return ask(who, "GET", path, Map.of(TOKEN, token(who))).status();
  }

  @Test
  void theTreeSaysWhatIs() throws Exception {
    String key = ec2.createKeyPair(r -> r.keyName("mine").keyType(KeyType.ED25519)).keyName();
    Instance me =
        running(r ->
            r.keyName(key)
                .userData(
                    Base64.getEncoder().encodeToString(SCRIPT.getBytes(StandardCharsets.UTF_8))));
    assertEquals("mine", me.keyName());
    assertEquals("dynamic\nmeta-data\nuser-data", get(me, "/latest/").replace("/", ""));
    assertTrue(get(me, "/").endsWith("latest"));
    String all = "/latest/meta-data/";
    assertTrue(get(me, all).contains("\nnetwork/\n"), get(me, all));
    assertEquals(get(me, all), get(me, "/2009-04-04/meta-data"));
    assertEquals(me.instanceId(), get(me, all + "instance-id"));
    assertEquals(me.imageId(), get(me, all + "ami-id"));
    assertEquals("t3.micro", get(me, all + "instance-type"));
    assertEquals(me.privateIpAddress(), get(me, all + "local-ipv4"));
    assertEquals(me.privateDnsName(), get(me, all + "hostname"));
    assertEquals(me.publicIpAddress(), get(me, all + "public-ipv4"));
    assertEquals("default", get(me, all + "security-groups"));
    assertEquals("us-east-1", get(me, all + "placement/region"));
    assertEquals(me.placement().availabilityZone(), get(me, all + "placement/availability-zone"));
    String mac = get(me, all + "mac");
    assertEquals(mac + "/", get(me, all + "network/interfaces/macs/"));
    String eni = all + "network/interfaces/macs/" + mac + "/";
    assertEquals(
        me.networkInterfaces().getFirst().networkInterfaceId(), get(me, eni + "interface-id"));
    assertEquals(me.vpcId(), get(me, eni + "vpc-id"));
    assertEquals("172.31.0.0/16", get(me, eni + "vpc-ipv4-cidr-block"));
    assertEquals(me.privateIpAddress(), get(me, eni + "ipv4-associations/" + me.publicIpAddress()));
    assertEquals("0=mine", get(me, all + "public-keys/"));
    assertEquals("openssh-key", get(me, all + "public-keys/0"));
    ec2.deleteKeyPair(r -> r.keyName(key));
    assertTrue(get(me, all + "public-keys/0/openssh-key").startsWith("ssh-ed25519 AAAA"));
    assertEquals(SCRIPT, get(me, "/latest/user-data"));
    JsonNode document =
        new ObjectMapper().readTree(get(me, "/latest/dynamic/instance-identity/document"));
    assertEquals(me.instanceId(), document.get("instanceId").textValue());
    assertEquals("000000000000", document.get("accountId").textValue());
    assertTrue(document.get("kernelId").isNull());
    for (String nothing :
        List.of(
            "iam/info", "tags/instance", "spot", "instance-i", "../user-data", "public-keys/1")) {
      assertEquals(404, status(me, all + nothing), nothing);
    }
    assertEquals(404, status(me, "/2007-02-30/meta-data"));
  }

  @Test
  void tokensAreAskedForAsTheOptionsSay() throws Exception {
    Instance me = running(r -> {});
    assertEquals(HttpTokensState.REQUIRED, me.metadataOptions().httpTokens(), "of its image");
    Instance other = running(r -> r.metadataOptions(o -> o.httpTokens(HttpTokensState.OPTIONAL)));
    String path = "/latest/meta-data/instance-id";
    assertEquals(401, ask(me, "GET", path, Map.of()).status());
    assertEquals(other.instanceId(), ask(other, "GET", path, Map.of()).text());
    assertEquals(401, ask(other, "GET", path, Map.of(TOKEN, "nonsense")).status());
    assertEquals(401, ask(me, "GET", path, Map.of(TOKEN, token(other))).status());
    String good = token(me);
    char first = good.charAt(0) == 'B' ? 'C' : 'B'; // a later end than was said
    assertEquals(401, ask(me, "GET", path, Map.of(TOKEN, first + good.substring(1))).status());
    assertEquals(200, ask(me, "HEAD", path, Map.of(TOKEN, good)).status());
    for (String life : List.of("0", "21601", "-1", "soon", "")) {
      assertEquals(400, ask(me, "PUT", "/latest/api/token", Map.of(LIFE, life)).status(), life);
    }
    assertEquals(400, ask(me, "PUT", "/latest/api/token", Map.of()).status());
    Map<String, String> proxied = Map.of(LIFE, "60", "X-Forwarded-For", "10.0.0.1");
    assertEquals(403, ask(me, "PUT", "/latest/api/token", proxied).status());
    assertEquals(405, ask(me, "PUT", path, Map.of(LIFE, "60")).status());
    assertEquals(405, ask(me, "POST", path, Map.of()).status());
    assertEquals(2, ask(me, "PUT", "/latest/api/token", Map.of(LIFE, "60")).hops());
    assertEquals(0, ask(me, "GET", path, Map.of(TOKEN, good)).hops());

    String id = me.instanceId();
    ec2.modifyInstanceMetadataOptions(r -> r.instanceId(id).httpPutResponseHopLimit(1));
    assertEquals(1, ask(me, "PUT", "/latest/api/token", Map.of(LIFE, "60")).hops());
    assertEquals(HttpTokensState.REQUIRED, now(id).metadataOptions().httpTokens(), "it stays");
    ec2.close();
    ec2 = started(); // tokens outlive the server
    await(id, InstanceStateName.RUNNING);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!served.containsKey(me.vpcId())) {
      assertTrue(System.nanoTime() < end);
      timers.sleep(Duration.ofMillis(5));
    }
    assertEquals(id, ask(me, "GET", path, Map.of(TOKEN, good)).text());
    ec2.modifyInstanceMetadataOptions(
        r -> r.instanceId(id).httpEndpoint(InstanceMetadataEndpointState.DISABLED));
    assertEquals(403, ask(me, "GET", path, Map.of(TOKEN, good)).status());
    assertEquals(403, ask(me, "PUT", "/latest/api/token", Map.of(LIFE, "60")).status());
    refused(
        "InvalidParameterValue",
        () -> ec2.modifyInstanceMetadataOptions(r -> r.instanceId(id).httpPutResponseHopLimit(65)));
    refused(
        "InvalidParameterValue",
        () -> ec2.modifyInstanceMetadataOptions(r -> r.instanceId(id).httpTokens("maybe")));
    refused(
        "UnsupportedOperation",
        () -> ec2.modifyInstanceMetadataOptions(r -> r.instanceId(id).httpProtocolIpv6("enabled")));
    refused(
        "InvalidInstanceID.Malformed",
        () -> ec2.modifyInstanceMetadataOptions(r -> r.instanceId("i-xyz")));
    refused(
        "InvalidInstanceID.NotFound",
        () -> ec2.modifyInstanceMetadataOptions(r -> r.instanceId("i-0123456789abcdef0")));
  }

  @Test
  void nobodyElseIsAnswered() throws Exception {
    Instance me = running(r -> {});
    String task =
        ec2.createNetworkInterface(r -> r.subnetId(me.subnetId()))
            .networkInterface()
            .privateIpAddress();
    for (String stranger : List.of(task, "172.31.255.254", "127.0.0.1")) {
      assertEquals(
          404, ask(me.vpcId(), stranger, "PUT", "/latest/api/token", Map.of(LIFE, "60")).status());
    }
    ec2.terminateInstances(r -> r.instanceIds(me.instanceId()));
    await(me.instanceId(), InstanceStateName.TERMINATED);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!served.isEmpty()) {
      assertTrue(System.nanoTime() < end, "there is nobody left to answer");
      timers.sleep(Duration.ofMillis(5));
    }
    refused(
        "IncorrectInstanceState",
        () -> ec2.modifyInstanceMetadataOptions(r -> r.instanceId(me.instanceId())));
    List<String> states =
        file.in(SCOPE.storeScope()).read(tx -> tx.list(EventOutbox.TABLE)).stream()
            .map(row -> row.value().detail())
            .sorted()
            .toList();
    assertEquals(
        List.of("pending", "running", "shutting-down", "terminated").stream()
            .map(state ->
                "{\"instance-id\":\"%s\",\"state\":\"%s\"}".formatted(me.instanceId(), state))
            .toList(),
        states);
  }

  @Test
  void theRolesKeysAreGood() throws Exception {
    Instance me = running(r -> r.iamInstanceProfile(p -> p.name("LabInstanceProfile")));
    String iam = "/latest/meta-data/iam/";
    ObjectMapper json = new ObjectMapper();
    assertEquals(
        me.iamInstanceProfile().arn(),
        json.readTree(get(me, iam + "info")).get("InstanceProfileArn").textValue());
    assertEquals("LabRole", get(me, iam + "security-credentials/"));
    JsonNode keys = json.readTree(get(me, iam + "security-credentials/LabRole"));
    assertEquals("Success", keys.get("Code").textValue());
    AccessKey key = sessions.find(keys.get("AccessKeyId").textValue()).orElseThrow();
    assertEquals(key.secretAccessKey(), keys.get("SecretAccessKey").textValue());
    assertEquals(key.sessionToken(), keys.get("Token").textValue());
    assertEquals("arn:aws:sts::000000000000:assumed-role/LabRole/" + me.instanceId(), key.arn());
    assertEquals(
        keys, json.readTree(get(me, iam + "security-credentials/LabRole")), "until it ends soon");
    Instance other = running(r -> r.iamInstanceProfile(p -> p.name("LabInstanceProfile")));
    assertNotEquals(
        keys.get("AccessKeyId"),
        json.readTree(get(other, iam + "security-credentials/LabRole")).get("AccessKeyId"));
    ec2.terminateInstances(r -> r.instanceIds(me.instanceId()));
    await(me.instanceId(), InstanceStateName.TERMINATED);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (sessions.find(key.accessKeyId()).isPresent()) {
      assertTrue(System.nanoTime() < end, "it ends with its instance");
      timers.sleep(Duration.ofMillis(5));
    }
  }

  @Test
  void tagsAreShownWhereThatIsWanted() throws Exception {
    Instance me = running(r -> {});
    String id = me.instanceId();
    ec2.createTags(r -> r.resources(id).tags(Tag.builder().key("Name").value("a b").build()));
    assertEquals(404, status(me, "/latest/meta-data/tags/instance/Name"));
    ec2.modifyInstanceMetadataOptions(
        r -> r.instanceId(id).instanceMetadataTags(InstanceMetadataTagsState.ENABLED));
    assertEquals("Name", get(me, "/latest/meta-data/tags/instance/"));
    assertEquals("a b", get(me, "/latest/meta-data/tags/instance/Name"));
    Tag wrong = Tag.builder().key("a/b").value("c").build();
    refused("InvalidParameterValue", () -> ec2.createTags(r -> r.resources(id).tags(wrong)));
    ec2.modifyInstanceMetadataOptions(
        r -> r.instanceId(id).instanceMetadataTags(InstanceMetadataTagsState.DISABLED));
    ec2.createTags(r -> r.resources(id).tags(wrong));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.modifyInstanceMetadataOptions(
                r -> r.instanceId(id).instanceMetadataTags(InstanceMetadataTagsState.ENABLED)));
  }

  private List<InstanceStatus> statuses(String filter, String value) {
    return ec2.describeInstanceStatus(r ->
            r.includeAllInstances(true)
                .filters(Filter.builder().name(filter).values(value).build()))
        .instanceStatuses();
  }

  @Test
  void statusChecksSayWhetherItCanBeReached() {
    Instance me = running(r -> {});
    Instance other = running(r -> {});
    assertEquals(2, statuses("instance-status.status", "ok").size());
    network.link(
        me.networkInterfaces().getFirst().networkInterfaceId(), new Link(false, 0, 0, 0, 0));
    InstanceStatus status = statuses("instance-status.reachability", "failed").getFirst();
    assertEquals(me.instanceId(), status.instanceId());
    assertEquals("impaired", status.instanceStatus().statusAsString());
    assertEquals("ok", status.systemStatus().statusAsString(), "the machine is well");
    assertTrue(status.instanceStatus().details().getFirst().impairedSince() != null);
    ec2.terminateInstances(r -> r.instanceIds(other.instanceId()));
    await(other.instanceId(), InstanceStateName.TERMINATED);
    assertEquals(
        "not-applicable",
        statuses("instance-state-name", "terminated").getFirst().instanceStatus().statusAsString());
    assertEquals(
        List.of(me.instanceId()),
        ec2.describeInstanceStatus(r -> {}).instanceStatuses().stream()
            .map(InstanceStatus::instanceId)
            .toList());
    assertEquals(List.of(), statuses("event.code", "*"));
    refused("InvalidParameterValue", () -> statuses("no-such-filter", "a"));
  }

  @Test
  void monitoringIsSwitchedOnAndOff() {
    Instance me = running(r -> r.monitoring(m -> m.enabled(true)));
    Instance other = running(r -> {});
    assertEquals(MonitoringState.ENABLED, me.monitoring().state());
    assertEquals(MonitoringState.DISABLED, other.monitoring().state());
    assertEquals(
        List.of(MonitoringState.ENABLED, MonitoringState.PENDING).stream().sorted().toList(),
        ec2
            .monitorInstances(r -> r.instanceIds(me.instanceId(), other.instanceId()))
            .instanceMonitorings()
            .stream()
            .map(one -> one.monitoring().state())
            .sorted()
            .toList());
    assertEquals(MonitoringState.ENABLED, now(other.instanceId()).monitoring().state());
    ec2.unmonitorInstances(r -> r.instanceIds(me.instanceId()));
    assertEquals(MonitoringState.DISABLED, now(me.instanceId()).monitoring().state());
    refused("InvalidInstanceID.Malformed", () -> ec2.monitorInstances(r -> r.instanceIds("x")));
    assertFalse(now(other.instanceId()).monitoring().state() == MonitoringState.DISABLED);
  }

  @Test
  void instancesAreFoundByWhatTheyAre() {
    ec2.createKeyPair(r -> r.keyName("mine").keyType(KeyType.ED25519));
    Instance me =
        running(r ->
            r.keyName("mine")
                .iamInstanceProfile(p -> p.name("LabInstanceProfile"))
                .monitoring(m -> m.enabled(true)));
    running(r -> {});
    Map<String, String> filters =
        Map.of(
            "key-name", "min?",
            "iam-instance-profile.name", "Lab*",
            "monitoring-state", "enabled",
            "network-interface.mac-address", me.networkInterfaces().getFirst().macAddress(),
            "network-interface.addresses.private-ip-address", me.privateIpAddress(),
            "network-interface.association.public-ip", me.publicIpAddress(),
            "network-interface.attachment.instance-id", me.instanceId());
    filters.forEach(
        (name, value) -> assertEquals(List.of(me.instanceId()), found(name, value), name));
    assertEquals(2, found("owner-id", "000000000000").size());
    assertEquals(2, found("metadata-options.http-tokens", "required").size());
    assertEquals(2, found("source-dest-check", "true").size());
    assertEquals(List.of(), found("platform", "windows"));
    String reservation =
        ec2.describeInstances(r -> r.instanceIds(me.instanceId()))
            .reservations()
            .getFirst()
            .reservationId();
    assertEquals(List.of(me.instanceId()), found("reservation-id", reservation));
    refused("InvalidParameterValue", () -> found("no-such-filter", "a"));
  }

  private List<String> found(String filter, String value) {
    return ec2
        .describeInstances(r -> r.filters(Filter.builder().name(filter).values(value).build()))
        .reservations()
        .stream()
        .flatMap(reservation -> reservation.instances().stream())
        .map(Instance::instanceId)
        .toList();
  }
}

package dev.muelle.services.sns;

import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.acm.Authority;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.elasticloadbalancingv2.Loopback;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import dev.muelle.wire.Access;
import dev.muelle.wire.AwsHandler;
import dev.muelle.wire.Mounts;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sns.SnsClient;

/** SNS behind the wire, over a store, with a port of this machine's that may not be sent to. */
final class World implements AutoCloseable {

  static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  static final int FORBIDDEN_PORT = 4566;

  private final Timers timers;
  private final Random random = new Random(1);
  private final SqliteStore store;
  private final Senders.@Nullable MailServer mail;
  final Authority authority;

  /** What was measured, by name of the metric. */
  final Map<String, Double> measured = new ConcurrentHashMap<>();

  CloudWatchLogs logs;
  Senders senders;
  Sns service;
  SnsClient sns;

  World(Path directory, Timers timers, Senders.@Nullable MailServer mail) throws IOException {
    this.timers = timers;
    this.mail = mail;
    store = SqliteStore.open(directory.resolve("db"));
    authority =
        Authority.open(
            directory.resolve("key"), directory.resolve("cert"), new SecureRandom(), timers);
    up();
  }

  private void up() {
    Store view = store.in(SCOPE.storeScope());
    Ids ids = new Ids(random);
    senders =
        new Senders(
            store,
            authority,
            new SecureRandom(),
            timers,
            "localhost:" + FORBIDDEN_PORT,
            address ->
                address.getPort() == FORBIDDEN_PORT && address.getAddress().isLoopbackAddress()
                    ? Optional.of("port " + FORBIDDEN_PORT + " is the region's own")
                    : Optional.empty(),
            mail);
    logs = new CloudWatchLogs(SCOPE, view, timers, ids, random, metric -> {}, Measurements.NONE);
    Measurements measurements =
        metric -> (value, times) -> measured.merge(metric.name(), value * times, Double::sum);
    service = new Sns(SCOPE, view, timers, ids, random, senders, logs, measurements);
    sns =
        SnsClient.builder()
            .region(Region.US_EAST_1)
            .endpointOverride(URI.create("http://localhost:4566"))
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("000000000000", "x")))
            .httpClient(
                new Loopback(
                    new AwsHandler(
                        new Mounts().mount(SnsClient.class, caller -> service),
                        Access.open(),
                        timers,
                        random)))
            .build();
    service.start();
  }

  /** The server dies, and another one comes. */
  void restart() {
    down();
    up();
  }

  private void down() {
    sns.close();
    service.close();
    logs.close();
    senders.close();
  }

  /** Confirms the subscription that a link leads to, as who follows it does. */
  String visit(String subscribeUrl) {
    Map<String, String> query = query(subscribeUrl);
    return service
        .visited(
            software.amazon.awssdk.services.sns.model.ConfirmSubscriptionRequest.builder()
                .topicArn(query.get("TopicArn"))
                .token(query.get("Token"))
                .build())
        .subscriptionArn();
  }

  void visitEnd(String unsubscribeUrl) {
    service.visited(
        software.amazon.awssdk.services.sns.model.UnsubscribeRequest.builder()
            .subscriptionArn(query(unsubscribeUrl).get("SubscriptionArn"))
            .build());
  }

  private static Map<String, String> query(String url) {
    Map<String, String> query = new ConcurrentHashMap<>();
    for (String one : URI.create(url).getQuery().split("&", -1)) {
      query.put(one.substring(0, one.indexOf('=')), one.substring(one.indexOf('=') + 1));
    }
    return query;
  }

  @Override
  public void close() {
    down();
    store.close();
  }
}

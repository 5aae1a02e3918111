package dev.muelle.services.cloudwatchlogs;

import static dev.muelle.services.cloudwatchlogs.World.event;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.muelle.wire.Access;
import dev.muelle.wire.AwsHandler;
import dev.muelle.wire.EventStream;
import dev.muelle.wire.Mounts;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.client.config.SdkAdvancedClientOption;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsAsyncClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionStart;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionUpdate;
import software.amazon.awssdk.services.cloudwatchlogs.model.SessionTimeoutException;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailResponseHandler;

/** A session from its first second to its last, through HTTP, read by the SDK's own client. */
final class LiveTailWireTest {

  private static final Duration ALL_BUT_THE_END = Duration.ofHours(3).minusSeconds(2);

  @TempDir Path directory;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<Object> seen = Collections.synchronizedList(new ArrayList<>());
  private World world;
  private HttpServer server;
  private CloudWatchLogsAsyncClient client;

  @BeforeEach
  void open() throws IOException {
    world = new World(directory);
    world.group(World.GROUP, "web/1");
    Mounts mounts =
        new Mounts()
            .mount(CloudWatchLogsClient.class, caller -> world.logs)
            .mountStream(
                CloudWatchLogsClient.class,
                StartLiveTailRequest.class,
                (caller, request) -> hurried(world.logs.startLiveTail(request)));
    AwsHandler handler =
        new AwsHandler(mounts, Access.open(), InstantSource.system(), new Random(1));
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", exchange -> answer(exchange, handler));
    server.start();
    client =
        CloudWatchLogsAsyncClient.builder()
            .httpClientBuilder(NettyNioAsyncHttpClient.builder())
            .endpointOverride(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
            .region(Region.US_EAST_1)
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("AKID", "secret")))
            .overrideConfiguration(o ->
                o.putAdvancedOption(SdkAdvancedClientOption.DISABLE_HOST_PREFIX_INJECTION, true))
            .build();
  }

  @AfterEach
  void close() {
    client.close();
    server.stop(0);
    threads.close();
    world.close();
  }

  /** After its first second nearly three hours pass at once. */
  private EventStream hurried(EventStream session) {
    return to ->
        session.run((member, event) -> {
          to.send(member, event);
          if (event instanceof LiveTailSessionStart) {
            world.put("web/1", event(world.now(), "one"));
          } else if (seconds++ == 0) {
            world.time.advance(ALL_BUT_THE_END);
            world.put("web/1", event(world.now(), "late"));
          }
        });
  }

  private int seconds;

  private static void answer(HttpExchange exchange, AwsHandler handler) throws IOException {
    Map<String, List<String>> headers = new TreeMap<>();
    exchange
        .getRequestHeaders()
        .forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), values));
    HttpResponse response =
        handler.handle(
            new HttpRequest(
                exchange.getRequestMethod(),
                exchange.getRequestURI().getRawPath(),
                "",
                headers,
                "127.0.0.1",
                exchange.getRequestBody()));
    response.headers().forEach((name, values) -> exchange.getResponseHeaders().put(name, values));
    exchange.sendResponseHeaders(response.status(), response.length() < 0 ? 0 : response.length());
    try (OutputStream out = exchange.getResponseBody()) {
      response.body().writeTo(out);
    }
  }

  private Throwable listen(List<String> groups) {
    return assertThrows(
            CompletionException.class,
            () ->
                client
                    .startLiveTail(
                        r -> r.logGroupIdentifiers(groups),
                        StartLiveTailResponseHandler.builder()
                            .onEventStream(events -> events.subscribe(seen::add))
                            .build())
                    .join())
        .getCause();
  }

  @Test
  void theLastEventOfThreeHoursSaysThatTheyAreOver() {
    SessionTimeoutException end =
        assertInstanceOf(SessionTimeoutException.class, listen(List.of(World.GROUP_ARN)));
    assertEquals(
        "The session has reached its maximum duration of three hours.",
        end.awsErrorDetails().errorMessage());
    List<LiveTailSessionUpdate> updates =
        seen.stream()
            .filter(LiveTailSessionUpdate.class::isInstance)
            .map(LiveTailSessionUpdate.class::cast)
            .toList();
    assertEquals(2, updates.size());
    assertEquals(
        List.of("one", "late"),
        updates.stream().flatMap(u -> u.sessionResults().stream()).map(e -> e.message()).toList());
  }

  @Test
  void tenGroupsAreTheMost() {
    List<String> eleven = IntStream.range(0, 11).mapToObj(i -> World.GROUP_ARN + "-" + i).toList();
    assertInstanceOf(InvalidParameterException.class, listen(eleven));
    assertEquals(List.of(), seen);
  }
}

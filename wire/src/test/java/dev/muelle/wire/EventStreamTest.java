package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.client.config.SdkAdvancedClientOption;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsAsyncClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.LimitExceededException;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionStart;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionUpdate;
import software.amazon.awssdk.services.cloudwatchlogs.model.SessionTimeoutException;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailResponseHandler;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailResponseStream;

/** Answers that go on, read by the SDK's own asynchronous client, signed for real. */
final class EventStreamTest {

  private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
  private HttpServer server;
  private CloudWatchLogsAsyncClient client;

  @AfterEach
  void stop() {
    client.close();
    server.stop(0);
    threads.close();
  }

  private void serve(BiFunction<Caller, StartLiveTailRequest, EventStream> begin)
      throws IOException {
    Mounts mounts =
        new Mounts()
            .mount(CloudWatchLogsClient.class, caller -> new Nothing())
            .mountStream(CloudWatchLogsClient.class, StartLiveTailRequest.class, begin);
    AccessKeys keys =
        id ->
            Optional.of(
                new AccessKeys.AccessKey(
                    id, SECRET, "", "123456789012", "arn:aws:iam::123456789012:root", "root"));
    AwsHandler handler =
        new AwsHandler(mounts, Access.verified(keys), InstantSource.system(), new Random(1));
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
                StaticCredentialsProvider.create(AwsBasicCredentials.create("AKID", SECRET)))
            .overrideConfiguration(o ->
                o.putAdvancedOption(SdkAdvancedClientOption.DISABLE_HOST_PREFIX_INJECTION, true))
            .build();
  }

  /** A service without any method. */
  private static final class Nothing implements CloudWatchLogsClient {
    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

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

  private void listen() {
    client
        .startLiveTail(
            r -> r.logGroupIdentifiers("arn:aws:logs:us-east-1:123456789012:log-group:g"),
            StartLiveTailResponseHandler.builder()
                .onEventStream(events -> events.subscribe(seen::add))
                .onError(seen::add)
                .build())
        .join();
  }

  @Test
  void eventsComeOneByOneAndAnExceptionIsTheLast() throws Exception {
    SynchronousQueue<String> next = new SynchronousQueue<>();
    serve((caller, request) -> {
      assertEquals("123456789012", caller.account());
      return to -> {
        to.send(
            "sessionStart",
            LiveTailSessionStart.builder()
                .sessionId("s")
                .logGroupIdentifiers(request.logGroupIdentifiers())
                .build());
        for (int i = 0; i < 2; i++) {
          String message = take(next);
          to.send(
              "sessionUpdate",
              LiveTailSessionUpdate.builder()
                  .sessionMetadata(m -> m.sampled(false))
                  .sessionResults(
                      LiveTailSessionLogEvent.builder().message(message).timestamp(7L).build())
                  .build());
        }
        throw SessionTimeoutException.builder().message("three hours").build();
      };
    });
    threads.submit(() -> assertThrows(CompletionException.class, this::listen));
    StartLiveTailResponseStream first =
        assertInstanceOf(StartLiveTailResponseStream.class, seen.take());
    LiveTailSessionStart start = assertInstanceOf(LiveTailSessionStart.class, first);
    assertEquals("s", start.sessionId());
    assertEquals(1, start.logGroupIdentifiers().size());
    for (String message : List.of("one €", "two")) {
      next.put(message); // not before the one before it was seen
      LiveTailSessionUpdate update = assertInstanceOf(LiveTailSessionUpdate.class, seen.take());
      assertEquals(message, update.sessionResults().getFirst().message());
      assertEquals(7L, update.sessionResults().getFirst().timestamp());
    }
    Throwable last = assertInstanceOf(Throwable.class, seen.take());
    Throwable cause = last instanceof CompletionException ? last.getCause() : last;
    assertEquals(
        "three hours",
        assertInstanceOf(SessionTimeoutException.class, cause).awsErrorDetails().errorMessage());
  }

  private static String take(SynchronousQueue<String> next) {
    try {
      return next.take();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whatIsRefusedBeforeIsAnOrdinaryError() throws Exception {
    serve((caller, request) -> {
      throw LimitExceededException.builder().message("Resource limit exceeded.").build();
    });
    CompletionException failed = assertThrows(CompletionException.class, this::listen);
    assertEquals(
        "Resource limit exceeded.",
        assertInstanceOf(LimitExceededException.class, failed.getCause())
            .awsErrorDetails()
            .errorMessage());
  }
}

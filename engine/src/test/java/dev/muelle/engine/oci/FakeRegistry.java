package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** Another's registry on the network, with its moods. */
final class FakeRegistry implements AutoCloseable {

  /** A request as it came. */
  record Seen(String path, @Nullable String authorization, @Nullable String range) {}

  final List<Seen> seen = new CopyOnWriteArrayList<>();
  final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
  final Map<String, byte[]> manifests = new ConcurrentHashMap<>();

  /** Blobs that break off after so many bytes, each time. */
  final Map<String, Integer> cuts = new ConcurrentHashMap<>();

  /** How often blobs still break off. */
  volatile int cutsLeft = Integer.MAX_VALUE;

  volatile boolean ranges = true;
  volatile boolean token;
  volatile @Nullable String basic;

  /** Where blobs are served from; null for here. */
  volatile @Nullable FakeRegistry elsewhere;

  private final ObjectMapper json = new ObjectMapper();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  FakeRegistry() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  static String basicOf(String user, String password) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  /** An image's manifest; returns its digest. */
  String image(String architecture, List<byte[]> layers, List<byte[]> packed) throws IOException {
    byte[] config =
        json.writeValueAsBytes(
            Map.of(
                "architecture",
                architecture,
                "os",
                "linux",
                "config",
                Map.of("Env", List.of("ARCH=" + architecture)),
                "rootfs",
                Map.of("type", "layers", "diff_ids", layers.stream().map(Lab::sha256).toList())));
    List<Map<String, ?>> descriptors = new ArrayList<>();
    for (byte[] layer : packed) {
      descriptors.add(descriptor("application/vnd.oci.image.layer.v1.tar", layer));
      blobs.put(Lab.sha256(layer), layer);
    }
    blobs.put(Lab.sha256(config), config);
    return manifest(
        Map.of(
            "schemaVersion",
            2,
            "config",
            descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers",
            descriptors));
  }

  /** An index of manifests by architecture; returns its digest. */
  String index(Map<String, String> digests) throws IOException {
    List<Map<String, ?>> lines = new ArrayList<>();
    digests.forEach((architecture, digest) ->
        lines.add(
            Map.of(
                "mediaType",
                "application/vnd.oci.image.manifest.v1+json",
                "digest",
                digest,
                "size",
                10,
                "platform",
                Map.of("os", "linux", "architecture", architecture))));
    return manifest(Map.of("schemaVersion", 2, "manifests", lines));
  }

  private String manifest(Map<String, ?> content) throws IOException {
    byte[] bytes = json.writeValueAsBytes(content);
    manifests.put(Lab.sha256(bytes), bytes);
    return Lab.sha256(bytes);
  }

  private static Map<String, ?> descriptor(String type, byte[] blob) {
    return Map.of("mediaType", type, "digest", Lab.sha256(blob), "size", blob.length);
  }

  void tag(String tag, String digest) {
    manifests.put(tag, manifests.get(digest));
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().toString();
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      String range = exchange.getRequestHeaders().getFirst("Range");
      seen.add(new Seen(path, authorization, range));
      if (path.startsWith("/token")) {
        if (basic != null && !basic.equals(authorization)) {
          say(exchange, 401, new byte[0]);
        } else {
          say(exchange, 200, "{\"token\":\"sesame\"}".getBytes(StandardCharsets.UTF_8));
        }
        return;
      }
      if (!allowed(exchange, authorization)) {
        return;
      }
      String last = path.substring(path.lastIndexOf('/') + 1);
      byte[] content = path.contains("/manifests/") ? manifests.get(last) : blobs.get(last);
      if (content == null) {
        say(exchange, 404, "{\"errors\":[]}".getBytes(StandardCharsets.UTF_8));
      } else if (path.contains("/manifests/")) {
        say(exchange, 200, content);
      } else if (elsewhere != null) {
        exchange.getResponseHeaders().set("Location", "http://" + elsewhere.host() + path);
        say(exchange, 307, new byte[0]);
      } else {
        blob(exchange, last, content, range);
      }
    }
  }

  private boolean allowed(HttpExchange exchange, @Nullable String authorization)
      throws IOException {
    String want = token ? "Bearer sesame" : basic;
    if (want == null || want.equals(authorization)) {
      return true;
    }
    exchange
        .getResponseHeaders()
        .set(
            "WWW-Authenticate",
            token
                ? "Bearer realm=\"http://"
                    + host()
                    + "/token\",service=\"the quay\",scope=\"repository:team/app:pull\""
                : "Basic realm=\"quay\"");
    say(exchange, 401, new byte[0]);
    return false;
  }

  private void blob(HttpExchange exchange, String digest, byte[] content, @Nullable String range)
      throws IOException {
    int from =
        range != null && ranges ? Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1")) : 0;
    int length = content.length - from;
    int give = length;
    Integer cut = cuts.get(digest);
    if (cut != null && cutsLeft-- > 0) {
      give = Math.min(length, cut);
    }
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, length);
    exchange.getResponseBody().write(content, from, give);
    exchange.getResponseBody().flush();
  }

  private static void say(HttpExchange exchange, int status, byte[] content) throws IOException {
    exchange.sendResponseHeaders(status, content.length == 0 ? -1 : content.length);
    if (content.length > 0) {
      exchange.getResponseBody().write(content);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}

package dev.muelle.engine.oci.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.Engine.RegistryLogin;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.loop.Timers;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads from one repository of a registry over the network, with basic or token login. See <a
 * href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md">the distribution
 * specification</a> and <a href="https://distribution.github.io/distribution/spec/auth/token/">the
 * token protocol</a>. Failures carry the words that ECS shows for them.
 */
final class RegistryClient {

  private static final Duration HEADERS = Duration.ofSeconds(30);
  private static final Duration STALL = Duration.ofSeconds(60);
  private static final int MAX_REDIRECTS = 5;
  private static final Pattern CHALLENGE = Pattern.compile("([a-z]+)=\"([^\"]*)\"");

  private final HttpClient http;
  private final Timers timers;
  private final ImageReference reference;
  private final @Nullable RegistryLogin login;
  private final URI base;
  private final Map<String, String> authorization = new ConcurrentHashMap<>();

  RegistryClient(
      HttpClient http, Timers timers, ImageReference reference, @Nullable RegistryLogin login) {
    this.http = http;
    this.timers = timers;
    this.reference = reference;
    this.login = login;
    String host =
        reference.registry().equals("docker.io") ? "registry-1.docker.io" : reference.registry();
    String name = host.contains(":") ? host.substring(0, host.indexOf(':')) : host;
    boolean here =
        name.equals("localhost") || name.endsWith(".localhost") || name.startsWith("127.");
    this.base =
        URI.create((here ? "http://" : "https://") + host + "/v2/" + reference.repository() + "/");
  }

  /** Opens a manifest or index by tag or digest. */
  InputStream manifest(String tagOrDigest) throws IOException {
    return get("manifests/" + tagOrDigest, 0).orElseThrow(() -> failed(reference + ": not found"));
  }

  /** Opens a blob from a position on; the registry may ignore the position and say so. */
  Part blob(String digest, long from) throws IOException {
    AtomicLong start = new AtomicLong(from);
    InputStream body =
        get("blobs/" + digest, from, start)
            .orElseThrow(() -> failed("blob " + digest + ": not found"));
    return new Part(body, start.get());
  }

  /**
   * Some bytes of a blob.
   *
   * @param start position of the first one
   */
  record Part(InputStream body, long start) {}

  private Optional<InputStream> get(String path, long from) throws IOException {
    return get(path, from, new AtomicLong());
  }

  private Optional<InputStream> get(String path, long from, AtomicLong start) throws IOException {
    URI uri = base.resolve(path);
    boolean loggedIn = false;
    for (int redirects = 0; redirects <= MAX_REDIRECTS; ) {
      HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(HEADERS).GET();
      if (path.startsWith("manifests/")) {
        request.header("Accept", Manifest.ACCEPT);
      }
      if (from > 0) {
        request.header("Range", "bytes=" + from + "-");
      }
      String known = authorization.get(uri.getScheme() + uri.getAuthority());
      if (known != null) {
        request.header("Authorization", known);
      }
      HttpResponse<InputStream> response = send(request.build());
      int status = response.statusCode();
      if (status == 200 || status == 206) {
        start.set(status == 206 ? from : 0);
        return Optional.of(new Watched(response.body()));
      }
      response.body().close();
      if (status == 404) {
        return Optional.empty();
      }
      if (status == 401 && !loggedIn && uri.getAuthority().equals(base.getAuthority())) {
        loggedIn = true;
        logIn(response.headers().firstValue("WWW-Authenticate").orElse(""));
      } else if (status == 401 || status == 403) {
        throw failed(
            "pull access denied, repository does not exist or may require authorization: server"
                + " message: insufficient_scope: authorization failed");
      } else if (status >= 300 && status < 400) {
        redirects++;
        uri = redirected(uri, response.headers().firstValue("Location").orElse(""));
      } else {
        throw failed("unexpected status code [" + path + "]: " + status);
      }
    }
    throw failed("stopped after " + MAX_REDIRECTS + " redirects");
  }

  private URI redirected(URI from, String location) {
    try {
      URI to = from.resolve(location);
      if ("https".equals(to.getScheme())
          || ("http".equals(to.getScheme()) && "http".equals(from.getScheme()))) {
        return to;
      }
    } catch (IllegalArgumentException e) {
      // said below
    }
    throw failed("redirected to " + location);
  }

  private void logIn(String challenge) throws IOException {
    String here = base.getScheme() + base.getAuthority();
    if (challenge.regionMatches(true, 0, "Basic", 0, 5) && login != null) {
      authorization.put(here, basic(login));
      return;
    }
    if (!challenge.regionMatches(true, 0, "Bearer", 0, 6)) {
      throw failed(
          "pull access denied, repository does not exist or may require authorization:"
              + " authorization failed: no basic auth credentials");
    }
    String realm = "";
    String service = "";
    String scope = "repository:" + reference.repository() + ":pull";
    Matcher parameter = CHALLENGE.matcher(challenge);
    while (parameter.find()) {
      switch (parameter.group(1)) {
        case "realm" -> realm = parameter.group(2);
        case "service" -> service = parameter.group(2);
        case "scope" -> scope = parameter.group(2);
        default -> {}
      }
    }
    URI uri =
        redirected(
            base,
            realm
                + (realm.contains("?") ? "&" : "?")
                + "service="
                + URLEncoder.encode(service, StandardCharsets.UTF_8)
                + "&scope="
                + URLEncoder.encode(scope, StandardCharsets.UTF_8));
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(HEADERS).GET();
    if (login != null) {
      request.header("Authorization", basic(login));
    }
    HttpResponse<InputStream> response = send(request.build());
    try (InputStream body = new Watched(response.body())) {
      if (response.statusCode() != 200) {
        throw failed(
            "failed to authorize: failed to fetch oauth token: unexpected status: "
                + response.statusCode());
      }
      var tree = new ObjectMapper().readTree(body.readNBytes(1 << 20));
      String token = tree.path("token").asText(tree.path("access_token").asText());
      authorization.put(here, "Bearer " + token);
    }
  }

  private static String basic(RegistryLogin login) {
    String both = login.user() + ":" + login.password();
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
  }

  private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
    String asked = "failed to do request: Head \"" + request.uri() + "\": dial tcp";
    String host = request.uri().getHost();
    try {
      return http.send(request, HttpResponse.BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (HttpTimeoutException e) {
      throw new Unreachable(asked + " " + request.uri().getAuthority() + ": i/o timeout", e);
    } catch (ConnectException e) {
      boolean unknown = hasCause(e, UnresolvedAddressException.class);
      throw new Unreachable(
          asked
              + (unknown
                  ? ": lookup " + host + ": no such host"
                  : " " + request.uri().getAuthority() + ": connect: connection refused"),
          e);
    }
  }

  private static boolean hasCause(Throwable e, Class<?> type) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return true;
      }
    }
    return false;
  }

  /** In the words of ECS. */
  private EngineException failed(String why) {
    return new EngineException(message(reference, why));
  }

  static String message(ImageReference reference, String why) {
    return "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to"
        + " resolve ref "
        + reference
        + ": "
        + why;
  }

  /** Nobody answered; worth another try. */
  static final class Unreachable extends IOException {
    private static final long serialVersionUID = 1L;

    Unreachable(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** A body that is closed, and so ends with an error, when nothing came for a while. */
  private final class Watched extends FilterInputStream {
    private final AtomicLong progress = new AtomicLong();
    private long seen = -1;
    private Timers.Cancellable check;

    Watched(InputStream in) {
      super(in);
      check = timers.after(STALL, this::look);
    }

    private synchronized void look() {
      if (progress.get() == seen) {
        try {
          in.close();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        return;
      }
      seen = progress.get();
      check = timers.after(STALL, this::look);
    }

    @Override
    public int read() throws IOException {
      progress.incrementAndGet();
      return in.read();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int read = in.read(bytes, offset, length);
      progress.incrementAndGet();
      return read;
    }

    @Override
    public void close() throws IOException {
      synchronized (this) {
        check.cancel();
      }
      in.close();
    }
  }
}

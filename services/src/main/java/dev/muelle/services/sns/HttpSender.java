package dev.muelle.services.sns;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.InputStreamResponseListener;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.StringRequestContent;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.util.Promise;
import org.eclipse.jetty.util.SocketAddressResolver;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;

/**
 * Posts to endpoints: each attempt takes 15 seconds at most, an answer is read to a limit, and no
 * redirect is followed. A name is looked up anew each time, and only addresses are connected to
 * that {@link #forbidden} allows: a subscription is no way to what only this machine may talk to.
 */
final class HttpSender implements AutoCloseable {

  private static final long SECONDS = 15;
  private static final int MAX_ANSWER = 64 * 1024;
  private static final int TOLD = 1024;
  private static final int SERVER_ERROR = 500;
  private static final int TOO_MANY = 429;
  private static final int MULTIPLE_CHOICES = 300;
  private static final int OK = 200;
  private static final String AGENT = "Amazon Simple Notification Service Agent";

  private final Function<InetSocketAddress, Optional<String>> forbidden;
  private final X509Certificate authority;
  private @Nullable HttpClient client;

  /**
   * A sender that connects to nobody before its first post.
   *
   * @param forbidden why an address may not be connected to
   * @param authority trusted beside those that Java trusts
   */
  HttpSender(Function<InetSocketAddress, Optional<String>> forbidden, X509Certificate authority) {
    this.forbidden = address -> general(address.getAddress()).or(() -> forbidden.apply(address));
    this.authority = authority;
  }

  private static Optional<String> general(InetAddress address) {
    return address.isLinkLocalAddress()
            || address.isMulticastAddress()
            || address.isAnyLocalAddress()
        ? Optional.of("the address " + address.getHostAddress() + " may not be sent to")
        : Optional.empty();
  }

  /** Why an endpoint will not be sent to; empty also if nobody knows its name yet. */
  Optional<String> refusal(URI uri) {
    try {
      for (InetAddress address : resolve(uri.getHost())) {
        Optional<String> why = forbidden.apply(new InetSocketAddress(address, port(uri)));
        if (why.isPresent()) {
          return why;
        }
      }
      return Optional.empty();
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return "https".equals(uri.getScheme()) ? 443 : 80;
  }

  /** Names below {@code localhost}, as load balancers have them, are this machine: RFC 6761. */
  private static List<InetAddress> resolve(String host) throws UnknownHostException {
    String name = host.toLowerCase(Locale.ROOT).replaceFirst("\\.$", "");
    return name.endsWith(".localhost")
        ? List.of(InetAddress.getByAddress(host, new byte[] {127, 0, 0, 1}))
        : List.of(InetAddress.getAllByName(host));
  }

  Outcome post(String endpoint, String contentType, Map<String, String> headers, String body) {
    URI uri = URI.create(endpoint);
    try {
      Request request =
          client()
              .newRequest(uri.getScheme() + "://" + place(uri))
              .method(HttpMethod.POST)
              .timeout(SECONDS, TimeUnit.SECONDS)
              .body(new StringRequestContent(contentType, body, StandardCharsets.UTF_8));
      request.headers(fields -> {
        fields.put(HttpHeader.CONTENT_TYPE, contentType);
        headers.forEach(fields::put);
        if (uri.getUserInfo() != null) {
          fields.put(HttpHeader.AUTHORIZATION, basic(uri.getUserInfo()));
        }
      });
      InputStreamResponseListener answer = new InputStreamResponseListener();
      request.send(answer);
      Response response = answer.get(SECONDS, TimeUnit.SECONDS);
      String said = read(answer, request);
      return new Outcome(result(response.getStatus()), response.getStatus(), said);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      return cause instanceof Forbidden
          ? new Outcome(Outcome.Result.NEVER, 0, String.valueOf(cause.getMessage()))
          : Outcome.failed(cause);
    } catch (IOException | TimeoutException | RuntimeException e) {
      return Outcome.failed(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Outcome.failed(e);
    }
  }

  /** Host, port, path and query: the user is told in a header. */
  private static String place(URI uri) {
    String authority = uri.getRawAuthority();
    String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    return authority.substring(authority.indexOf('@') + 1)
        + path
        + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery());
  }

  private static String basic(String user) {
    return "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Only what the other side is at fault for is tried again. A redirect is an answer of another
   * kind: who follows it can be led anywhere.
   */
  private static Outcome.Result result(int status) {
    if (status >= OK && status < MULTIPLE_CHOICES) {
      return Outcome.Result.DELIVERED;
    }
    return status >= SERVER_ERROR || status == TOO_MANY
        ? Outcome.Result.AGAIN
        : Outcome.Result.NEVER;
  }

  /** Reads an answer to its end or to the limit, so that the connection can be used again. */
  private static String read(InputStreamResponseListener answer, Request request)
      throws IOException {
    try (InputStream in = answer.getInputStream()) {
      byte[] begin = in.readNBytes(MAX_ANSWER);
      if (begin.length == MAX_ANSWER) {
        var _ = request.abort(new IOException("the answer has more than " + MAX_ANSWER + " bytes"));
      }
      return new String(begin, 0, Math.min(begin.length, TOLD), StandardCharsets.UTF_8);
    }
  }

  private synchronized HttpClient client() {
    if (client == null) {
      HttpClient made = new HttpClient();
      made.setExecutor(task -> Thread.ofVirtual().name("sns-http").start(task));
      made.setConnectTimeout(TimeUnit.SECONDS.toMillis(SECONDS));
      made.setIdleTimeout(TimeUnit.SECONDS.toMillis(SECONDS));
      made.setFollowRedirects(false);
      made.setHttpCookieStore(new HttpCookieStore.Empty());
      made.setUserAgentField(new HttpField(HttpHeader.USER_AGENT, AGENT));
      made.setSocketAddressResolver(new Checked());
      made.setSslContextFactory(tls());
      try {
        made.start();
      } catch (Exception e) {
        throw new IllegalStateException("the HTTP client does not start", e);
      }
      client = made;
    }
    return client;
  }

  private SslContextFactory.Client tls() {
    try {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      trusted.setCertificateEntry("region", authority);
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init((KeyStore) null);
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509TrustManager some) {
          for (X509Certificate one : some.getAcceptedIssuers()) {
            trusted.setCertificateEntry("java-" + trusted.size(), one);
          }
        }
      }
      SslContextFactory.Client tls = new SslContextFactory.Client();
      tls.setTrustStore(trusted);
      return tls;
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("the certificates that Java trusts cannot be read", e);
    }
  }

  /** Looks names up, and gives only addresses that may be sent to. */
  private final class Checked implements SocketAddressResolver {
    private final Executor executor = task -> Thread.ofVirtual().name("sns-names").start(task);

    @Override
    public void resolve(
        String host,
        int port,
        Map<String, Object> context,
        Promise<List<InetSocketAddress>> promise) {
      executor.execute(() -> {
        try {
          List<InetSocketAddress> found = new ArrayList<>();
          for (InetAddress address : HttpSender.resolve(host)) {
            InetSocketAddress whole = new InetSocketAddress(address, port);
            Optional<String> why = forbidden.apply(whole);
            if (why.isPresent()) {
              throw new Forbidden(why.get());
            }
            found.add(whole);
          }
          promise.succeeded(found);
        } catch (IOException | RuntimeException e) {
          promise.failed(e);
        }
      });
    }
  }

  /** An address that is not sent to. */
  private static final class Forbidden extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Forbidden(String why) {
      super(why);
    }
  }

  @Override
  public synchronized void close() {
    if (client != null) {
      try {
        client.stop();
      } catch (Exception e) {
        throw new IllegalStateException("the HTTP client does not stop", e);
      }
      client = null;
    }
  }
}

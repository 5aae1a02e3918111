package dev.muelle.services.ecr;

import dev.muelle.engine.blob.BlobStore.BlobException;
import dev.muelle.services.Scope;
import dev.muelle.services.ecr.RegistryTokens.Holder;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ecr.model.EcrException;

/**
 * The registry protocol, everything under {@code /v2/}, for all accounts and regions. Who may come
 * in says the password that {@code ecr:GetAuthorizationToken} gave; which registry is meant says
 * the host name ({@code ACCOUNT.dkr.ecr.REGION.…}), or else the password.
 *
 * @see <a href="https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md">OCI
 *     distribution 1.1</a>
 */
public final class Registry implements HttpHandler {

  /** What the paths of this handler start with. */
  public static final String PATH = "/v2/";

  private static final String USER = "AWS";
  private static final Pattern TAGS = Pattern.compile("/v2/(.+)/tags/list");
  private static final Pattern REFERRERS = Pattern.compile("/v2/(.+)/referrers/([^/]+)");
  private static final Pattern MANIFEST = Pattern.compile("/v2/(.+)/manifests/([^/]+)");
  private static final Pattern UPLOADS = Pattern.compile("/v2/(.+)/blobs/uploads/?");
  private static final Pattern UPLOAD = Pattern.compile("/v2/(.+)/blobs/uploads/([^/]+)");
  private static final Pattern BLOB = Pattern.compile("/v2/(.+)/blobs/([^/]+)");

  private final Function<Scope, Ecr> regions;
  private final RegistryTokens tokens;

  /**
   * Serves the registries of all regions.
   *
   * @param regions finds (or makes) the registry of an account in a region
   */
  public Registry(Function<Scope, Ecr> regions, RegistryTokens tokens) {
    this.regions = regions;
    this.tokens = tokens;
  }

  @Override
  public HttpResponse handle(HttpRequest request) throws IOException {
    HttpResponse answer;
    try {
      answer = answer(request);
    } catch (RegistryError e) {
      answer = e.response();
    } catch (EcrException e) {
      answer = RegistryError.of(e).response();
    } catch (BlobException e) {
      answer = RegistryError.of(e).response();
    }
    answer = answer.header("Docker-Distribution-Api-Version", "registry/2.0");
    return request.method().equals("HEAD")
        ? answer.body(answer.length(), HttpResponse.Body.EMPTY)
        : answer;
  }

  private HttpResponse answer(HttpRequest request) throws IOException {
    String path = decode(request.path());
    Query query = Query.parse(request.query());
    Optional<Scope> ticket =
        query.get("ticket").flatMap(sealed -> tokens.checkTicket(sealed, path));
    if (ticket.isPresent() && reads(request)) {
      return route(request, path, query, regions.apply(ticket.get()));
    }
    Optional<String> password = password(request);
    if (password.isEmpty()) {
      return challenge(request);
    }
    Holder holder =
        tokens
            .check(password.get())
            .orElseThrow(() ->
                new RegistryError(
                    403,
                    "DENIED",
                    "Your authorization token has expired. Reauthenticate and try again."));
    Scope meant = request.header("host").flatMap(RegistryHosts::spoken).orElseGet(holder::scope);
    if (!meant.account().equals(holder.scope().account())) {
      throw new RegistryError(
          403,
          "DENIED",
          "User: "
              + holder.arn()
              + " is not authorized to access the registry with id '"
              + meant.account()
              + "'");
    }
    return route(request, path, query, regions.apply(meant));
  }

  private static boolean reads(HttpRequest request) {
    return request.method().equals("GET") || request.method().equals("HEAD");
  }

  /** The password of user AWS, if the request brings one. */
  private static Optional<String> password(HttpRequest request) {
    String header = request.header("authorization").orElse("");
    if (!header.toLowerCase(Locale.ROOT).startsWith("basic ")) {
      return Optional.empty();
    }
    try {
      String login =
          new String(
              Base64.getDecoder().decode(header.substring("basic ".length()).trim()),
              StandardCharsets.UTF_8);
      return login.startsWith(USER + ":")
          ? Optional.of(login.substring(USER.length() + 1))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static HttpResponse challenge(HttpRequest request) {
    String host = request.header("host").orElse("").replaceAll("[^A-Za-z0-9.:\\[\\]-]", "");
    return HttpResponse.of(401, "text/plain; charset=utf-8", "Not Authorized\n")
        .header(
            "WWW-Authenticate",
            "Basic realm=\"https://" + host + "/\",service=\"ecr.amazonaws.com\"");
  }

  private static HttpResponse route(HttpRequest request, String path, Query query, Ecr ecr)
      throws IOException {
    String method = request.method();
    if (path.equals("/v2/") || path.equals("/v2")) {
      return reads(request)
          ? HttpResponse.of(200, "application/json; charset=utf-8", "{}")
          : notAllowed(method);
    }
    if (path.equals("/v2/_catalog")) {
      return reads(request) ? new RegistryLists(ecr).catalog(query) : notAllowed(method);
    }
    Matcher tags = TAGS.matcher(path);
    if (tags.matches()) {
      String name = name(ecr, tags);
      return reads(request) ? new RegistryLists(ecr).tags(name, query) : notAllowed(method);
    }
    Matcher referrers = REFERRERS.matcher(path);
    if (referrers.matches()) {
      String name = name(ecr, referrers);
      return reads(request)
          ? new RegistryLists(ecr).referrers(name, referrers.group(2), query)
          : notAllowed(method);
    }
    Matcher manifest = MANIFEST.matcher(path);
    if (manifest.matches()) {
      String name = name(ecr, manifest);
      RegistryManifests manifests = new RegistryManifests(ecr);
      return switch (method) {
        case "GET", "HEAD" -> manifests.get(name, manifest.group(2));
        case "PUT" -> manifests.put(name, manifest.group(2), request);
        case "DELETE" -> manifests.delete(name, manifest.group(2));
        default -> notAllowed(method);
      };
    }
    return blobs(request, path, query, ecr);
  }

  private static HttpResponse blobs(HttpRequest request, String path, Query query, Ecr ecr)
      throws IOException {
    String method = request.method();
    RegistryBlobs blobs = new RegistryBlobs(ecr);
    Matcher uploads = UPLOADS.matcher(path);
    if (uploads.matches()) {
      String name = name(ecr, uploads);
      return method.equals("POST") ? blobs.start(name, query, request) : notAllowed(method);
    }
    Matcher upload = UPLOAD.matcher(path);
    if (upload.matches()) {
      String name = name(ecr, upload);
      String id = upload.group(2);
      return switch (method) {
        case "GET", "HEAD" -> blobs.status(name, id);
        case "PATCH" -> blobs.append(name, id, request);
        case "PUT" -> blobs.finish(name, id, query, request);
        case "DELETE" -> blobs.cancel(name, id);
        default -> notAllowed(method);
      };
    }
    Matcher blob = BLOB.matcher(path);
    if (blob.matches()) {
      String name = name(ecr, blob);
      return reads(request) ? blobs.get(name, blob.group(2), request) : notAllowed(method);
    }
    throw new RegistryError(404, "NAME_UNKNOWN", "there is nothing at " + path);
  }

  /** The repository in the path; it must exist. */
  private static String name(Ecr ecr, Matcher path) {
    String name = path.group(1);
    if (!Names.isRepository(name)) {
      throw new RegistryError(
          400,
          "NAME_INVALID",
          "invalid repository name: must satisfy regular expression '"
              + Names.REPOSITORY_FORM
              + "'");
    }
    ecr.repositories().require(name);
    return name;
  }

  private static HttpResponse notAllowed(String method) {
    throw new RegistryError(405, "UNSUPPORTED", "The operation is unsupported: " + method);
  }

  private static String decode(String path) {
    try {
      return URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new RegistryError(400, "NAME_INVALID", "the path is not well encoded");
    }
  }
}

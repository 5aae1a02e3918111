package dev.muelle.services.ec2.metadata;

import dev.muelle.services.Ids;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.VpcHttp;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.HttpTokensState;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataEndpointState;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataOptionsResponse;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.Role;

/**
 * What answers at 169.254.169.254 in every VPC that has instances, in both versions. Who asks is
 * known by the address: the filters let nobody send from another's.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html">Access
 *     instance metadata</a>
 */
public final class InstanceMetadata implements AutoCloseable {

  private static final String ADDRESS = "169.254.169.254";
  private static final int PORT = 80;
  private static final String TOKEN = "/latest/api/token";
  private static final String TOKEN_HEADER = "X-aws-ec2-metadata-token";
  private static final String LIFE_HEADER = "X-aws-ec2-metadata-token-ttl-seconds";
  private static final int MOST_SECONDS = 21_600;

  private static final String LATEST = "latest";

  /** All say the same here; tools ask for the one that they know. */
  private static final List<String> VERSIONS =
      List.of(
          "1.0",
          "2007-01-19",
          "2007-03-01",
          "2007-08-29",
          "2007-10-10",
          "2007-12-15",
          "2008-02-01",
          "2008-09-01",
          "2009-04-04",
          "2011-01-01",
          "2011-05-01",
          "2012-01-12",
          "2014-02-25",
          "2014-11-05",
          "2015-10-20",
          "2016-04-19",
          "2016-06-30",
          "2016-09-02",
          "2018-03-28",
          "2018-08-17",
          "2018-09-24",
          "2019-10-01",
          "2020-10-27",
          "2021-01-03",
          "2021-03-23",
          "2021-07-15",
          LATEST);

  private final Scope scope;
  private final Store store;
  private final NetworkInterfaces interfaces;
  private final MetadataTokens tokens;
  private final InstanceCredentials credentials;
  private final InstanceGroups groups;
  private final VpcHttp vpcHttp;
  private final Map<String, VpcHttp.Server> servers = new HashMap<>();

  public InstanceMetadata(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      IamClient iam,
      NetworkInterfaces interfaces,
      SessionKeys sessions,
      InstanceGroups groups,
      VpcHttp vpcHttp) {
    this.groups = groups;
    this.scope = scope;
    this.store = store;
    this.interfaces = interfaces;
    this.tokens = new MetadataTokens(store, clock, ids);
    this.credentials = new InstanceCredentials(scope, clock, iam, sessions);
    this.vpcHttp = vpcHttp;
  }

  /** Answers in a VPC as long as it has an instance that is not terminated. */
  public synchronized void update(String vpcId) {
    boolean wanted =
        store.read(tx -> tx.list(Tables.INSTANCES)).stream()
            .map(Row::value)
            .anyMatch(one -> one.interfaceId() != null && one.instance().vpcId().equals(vpcId));
    if (!wanted) {
      VpcHttp.Server server = servers.remove(vpcId);
      if (server != null) {
        server.close();
      }
    } else if (!servers.containsKey(vpcId)) {
      try {
        servers.put(vpcId, vpcHttp.serve(vpcId, ADDRESS, PORT, request -> answer(vpcId, request)));
      } catch (IOException e) {
        throw new UncheckedIOException("instance metadata cannot be served in " + vpcId, e);
      }
    }
  }

  /** An instance has ended, and with it what it could speak with. */
  public void ended(InstanceRecord record) {
    credentials.forget(record.id());
    update(record.instance().vpcId());
  }

  private static Optional<InstanceRecord> caller(Tx tx, String vpcId, String address) {
    return tx.get(Tables.ADDRESSES, vpcId + "/" + address)
        .flatMap(row -> tx.get(Tables.INTERFACES, row.value()))
        .map(Row::value)
        .filter(eni -> eni.attachment() != null && eni.attachment().instanceId() != null)
        .flatMap(eni -> tx.get(Tables.INSTANCES, eni.attachment().instanceId()))
        .map(Row::value);
  }

  private HttpResponse answer(String vpcId, HttpRequest request) {
    Optional<InstanceRecord> caller = store.read(tx -> caller(tx, vpcId, request.remoteAddress()));
    if (caller.isEmpty()) {
      return error(404, "Not Found"); // a task's interface, or a load balancer's
    }
    InstanceRecord record = caller.get();
    InstanceMetadataOptionsResponse options = MetadataOptions.of(record.instance());
    if (options.httpEndpoint() == InstanceMetadataEndpointState.DISABLED) {
      return error(403, "Forbidden");
    }
    return switch (request.method()) {
      case "PUT" -> token(record, options, request);
      case "GET", "HEAD" -> data(record, options, request);
      default -> error(405, "Method Not Allowed").header("Allow", "GET, HEAD, PUT");
    };
  }

  /** Answered no further away than the instance's own limit says, as a proxy would be. */
  private HttpResponse token(
      InstanceRecord record, InstanceMetadataOptionsResponse options, HttpRequest request) {
    HttpResponse answer;
    int seconds = seconds(request.header(LIFE_HEADER).orElse(""));
    if (!request.path().equals(TOKEN)) {
      answer = error(405, "Method Not Allowed").header("Allow", "GET, HEAD");
    } else if (request.header("X-Forwarded-For").isPresent()) {
      answer = error(403, "Forbidden");
    } else if (seconds < 1 || seconds > MOST_SECONDS) {
      answer = error(400, "Bad Request");
    } else {
      answer =
          HttpResponse.of(200, "text/plain", tokens.issue(record.id(), Duration.ofSeconds(seconds)))
              .header(LIFE_HEADER, String.valueOf(seconds));
    }
    return answer.within(options.httpPutResponseHopLimit());
  }

  private static int seconds(String text) {
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private HttpResponse data(
      InstanceRecord record, InstanceMetadataOptionsResponse options, HttpRequest request) {
    Optional<String> token = request.header(TOKEN_HEADER);
    boolean required = options.httpTokens() == HttpTokensState.REQUIRED;
    if (token.isPresent() ? !tokens.good(record.id(), token.get()) : required) {
      return error(401, "Unauthorized");
    }
    String path = path(request.path());
    if (path.isEmpty()) {
      return text(String.join("\n", VERSIONS));
    }
    int slash = path.indexOf('/');
    String version = slash < 0 ? path : path.substring(0, slash);
    String rest = slash < 0 ? "" : path.substring(slash + 1);
    if (!VERSIONS.contains(version)) {
      return error(404, "Not Found");
    }
    if (rest.equals("user-data")) {
      return record.userData() == null
          ? error(404, "Not Found")
          : HttpResponse.of(
              200, "application/octet-stream", Base64.getMimeDecoder().decode(record.userData()));
    }
    Optional<Role> role = credentials.role(record.instance());
    Optional<String> target = groups.target(record.id());
    MetadataTree tree =
        store.read(tx -> MetadataTree.of(tx, scope, record, interfaces, credentials, role, target));
    Optional<String> found = tree.at(rest);
    boolean root = rest.isEmpty() && record.userData() != null;
    return found
        .map(text -> text(root ? text + "\nuser-data" : text))
        .orElseGet(() -> error(404, "Not Found"));
  }

  /** Without a slash at either end; some clients send several. */
  private static String path(String raw) {
    try {
      return URLDecoder.decode(raw.replace("+", "%2B"), StandardCharsets.UTF_8)
          .replaceAll("/+", "/")
          .replaceAll("^/|/$", "");
    } catch (IllegalArgumentException e) {
      return raw; // nothing has such a name
    }
  }

  private static HttpResponse text(String text) {
    return HttpResponse.of(200, "text/plain", text).header("Server", "EC2ws");
  }

  private static HttpResponse error(int status, String reason) {
    return HttpResponse.of(
            status,
            "text/html",
            """
            <?xml version="1.0" encoding="iso-8859-1"?>
            <html><head><title>%1$d - %2$s</title></head><body><h1>%1$d - %2$s</h1></body></html>
            """
                .formatted(status, reason))
        .header("Server", "EC2ws");
  }

  @Override
  public synchronized void close() {
    servers.values().forEach(VpcHttp.Server::close);
    servers.clear();
  }
}

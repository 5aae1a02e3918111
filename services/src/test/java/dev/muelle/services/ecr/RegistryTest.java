package dev.muelle.services.ecr;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ImageReference;
import dev.muelle.services.Scope;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecr.model.ImageTagMutability;

/** The registry protocol, spoken by hand. */
class RegistryTest {

  private static final String OCI = Manifest.OCI;
  private static final Scope OTHER = new Scope("111111111111", "us-east-1");

  @TempDir private Path directory;
  private final HttpClient http = HttpClient.newHttpClient();
  private RegistryServer server;
  private String login = "";

  @BeforeEach
  void open() throws IOException {
    server = new RegistryServer(directory, 0);
    server.ecr().createRepository(r -> r.repositoryName("app"));
    login = basic(server.password(RegistryServer.HERE));
  }

  @AfterEach
  void close() {
    http.close();
    server.close();
  }

  private void restart() throws IOException {
    server.close();
    server = new RegistryServer(directory, 0);
  }

  private static String basic(String password) {
    return "Basic "
        + Base64.getEncoder().encodeToString(("AWS:" + password).getBytes(StandardCharsets.UTF_8));
  }

  private HttpResponse<byte[]> send(
      String method, String path, BodyPublisher body, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://" + server.host + path)).method(method, body);
    if (!login.isEmpty()) {
      request.header("Authorization", login);
    }
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    try {
      return http.send(request.build(), BodyHandlers.ofByteArray());
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(method + " " + path, e);
    }
  }

  private HttpResponse<byte[]> get(String path, String... headers) {
    return send("GET", path, BodyPublishers.noBody(), headers);
  }

  private static BodyPublisher bytes(String text) {
    return BodyPublishers.ofString(text);
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  private static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  private static void refused(int status, String code, HttpResponse<byte[]> response) {
    assertEquals(status, response.statusCode(), () -> text(response));
    assertTrue(text(response).contains("\"code\":\"" + code + "\""), () -> text(response));
  }

  static String digest(String text) {
    try {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private String start(String repository) {
    HttpResponse<byte[]> started =
        send("POST", "/v2/" + repository + "/blobs/uploads/", BodyPublishers.noBody());
    assertEquals(202, started.statusCode(), () -> text(started));
    return header(started, "location");
  }

  private void push(String repository, String content) {
    HttpResponse<byte[]> pushed =
        send(
            "POST",
            "/v2/" + repository + "/blobs/uploads/?digest=" + digest(content),
            bytes(content));
    assertEquals(201, pushed.statusCode(), () -> text(pushed));
    assertEquals(digest(content), header(pushed, "docker-content-digest"));
  }

  private static String descriptor(String type, String content) {
    return "{\"mediaType\":\"application/vnd.oci.image.%s\",\"digest\":\"%s\",\"size\":%d}"
        .formatted(type, digest(content), content.length());
  }

  private static String manifest(String config, String layer, String more) {
    return "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s,\"layers\":[%s]%s}"
        .formatted(
            OCI, descriptor("config.v1+json", config), descriptor("layer.v1.tar", layer), more);
  }

  private HttpResponse<byte[]> put(String repository, String reference, String manifest) {
    return send(
        "PUT",
        "/v2/" + repository + "/manifests/" + reference,
        bytes(manifest),
        "Content-Type",
        OCI);
  }

  private List<Path> blobFiles() {
    try (Stream<Path> files = Files.walk(directory.resolve("blobs"))) {
      return files.filter(Files::isRegularFile).toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  // --- who may come in

  @Test
  void strangersAreAskedForAPassword() {
    login = "";
    HttpResponse<byte[]> refused = get("/v2/");
    assertEquals(401, refused.statusCode());
    assertEquals(
        "Basic realm=\"https://" + server.host + "/\",service=\"ecr.amazonaws.com\"",
        header(refused, "www-authenticate"));
    assertEquals("registry/2.0", header(refused, "docker-distribution-api-version"));
    login = "Basic " + Base64.getEncoder().encodeToString("root:secret".getBytes());
    assertEquals(401, get("/v2/").statusCode());
  }

  @Test
  void aPasswordIsGoodForTwelveHours() {
    assertEquals(200, get("/v2/").statusCode());
    server.now = server.now.plus(Duration.ofHours(12));
    HttpResponse<byte[]> expired = get("/v2/");
    refused(403, "DENIED", expired);
    assertTrue(
        text(expired)
            .contains("Your authorization token has expired. Reauthenticate and try again."));
  }

  @Test
  void aForgedPasswordIsRefused() {
    String password = server.password(RegistryServer.HERE);
    int dot = password.indexOf('.');
    String said = new String(Base64.getUrlDecoder().decode(password.substring(0, dot)));
    String forged =
        Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(said.replace("000000000000", "111111111111").getBytes());
    for (String attempt :
        List.of(forged + password.substring(dot), forged + ".", "", ".", "%%%.%%%", "x.y")) {
      login = basic(attempt);
      assertEquals(403, get("/v2/").statusCode(), attempt);
    }
  }

  @Test
  void aPasswordOutlivesARestart() throws IOException {
    restart();
    assertEquals(200, get("/v2/").statusCode());
    assertEquals(
        "[GROUP_READ]".replace("GROUP_READ", "OWNER_READ, OWNER_WRITE"),
        new java.util.TreeSet<>(Files.getPosixFilePermissions(directory.resolve("secret")))
            .toString());
  }

  @Test
  void theHostNameSaysWhichRegistryAndThePasswordMustBeItsAccounts() throws IOException {
    server.ecr(OTHER).createRepository(r -> r.repositoryName("theirs"));
    assertEquals(403, status("000000000001.dkr.ecr.us-east-1.localhost"));
    assertEquals(200, status("000000000000.dkr.ecr.us-east-1.localhost"));
    login = basic(server.password(OTHER));
    assertEquals(403, status("000000000000.dkr.ecr.us-east-1.localhost"));
    assertEquals(200, get("/v2/theirs/tags/list").statusCode());
    refused(404, "NAME_UNKNOWN", get("/v2/app/tags/list"));
  }

  private int status(String host) throws IOException {
    try (Socket socket = new Socket("localhost", server.port())) {
      socket
          .getOutputStream()
          .write(
              ("GET /v2/ HTTP/1.1\r\nHost: %s:4566\r\nAuthorization: %s\r\nConnection: close\r\n\r\n"
                      .formatted(host, login))
                  .getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return Integer.parseInt(answer.split(" ")[1]);
    }
  }

  // --- uploads

  @Test
  void aBlobInChunks() {
    String location = start("app");
    HttpResponse<byte[]> first = send("PATCH", location, bytes("abc"), "Content-Range", "0-2");
    assertEquals(202, first.statusCode());
    assertEquals("0-2", header(first, "range"));
    HttpResponse<byte[]> status = get(header(first, "location"));
    assertEquals(204, status.statusCode());
    assertEquals("0-2", header(status, "range"));
    for (String wrong : List.of("0-2", "4-6", "3-9", "x")) {
      HttpResponse<byte[]> refused = send("PATCH", location, bytes("def"), "Content-Range", wrong);
      assertEquals(416, refused.statusCode(), wrong);
      assertEquals("0-2", header(refused, "range"));
    }
    assertEquals(202, send("PATCH", location, bytes("def"), "Content-Range", "3-5").statusCode());
    HttpResponse<byte[]> done =
        send("PUT", location + "?digest=" + digest("abcdefghi"), bytes("ghi"));
    assertEquals(201, done.statusCode(), () -> text(done));
    assertArrayEquals(
        "abcdefghi".getBytes(StandardCharsets.UTF_8), get(header(done, "location")).body());
  }

  @Test
  void anUploadIsResumedAfterARestart() throws IOException {
    String location = start("app");
    send("PATCH", location, bytes("abc"));
    restart();
    assertEquals("0-2", header(get(location), "range"));
    send("PATCH", location, bytes("def"));
    assertEquals(
        201,
        send("PUT", location + "?digest=" + digest("abcdef"), BodyPublishers.noBody())
            .statusCode());
  }

  @Test
  void aBodyThatBreaksOffCompletesNothing() throws Exception {
    String location = start("app");
    try (Socket socket = new Socket("localhost", server.port())) {
      OutputStream out = socket.getOutputStream();
      out.write(
          ("PUT %s?digest=%s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Length: 6\r\n\r\nabc"
                  .formatted(location, digest("abc"), server.host, login))
              .getBytes(StandardCharsets.US_ASCII));
      out.flush();
      while (!header(get(location), "range").equals("0-2")) {
        Thread.onSpinWait();
      }
    }
    assertEquals(404, get("/v2/app/blobs/" + digest("abc")).statusCode());
    HttpResponse<byte[]> resumed =
        send("PUT", location + "?digest=" + digest("abcdef"), bytes("def"));
    assertEquals(201, resumed.statusCode(), () -> text(resumed));
  }

  @Test
  void aWrongDigestIsRefusedAndLeavesNothing() {
    String location = start("app");
    refused(
        400, "DIGEST_INVALID", send("PUT", location + "?digest=" + digest("other"), bytes("abc")));
    assertEquals(404, get(location).statusCode());
    refused(
        400,
        "DIGEST_INVALID",
        send("POST", "/v2/app/blobs/uploads/?digest=" + digest("other"), bytes("abc")));
    refused(400, "DIGEST_INVALID", send("PUT", start("app") + "?digest=md5:abc", bytes("abc")));
    assertEquals(1, blobFiles().size()); // the last one's upload is still open
  }

  @Test
  void uploadsBelongToTheirRepository() {
    server.ecr().createRepository(r -> r.repositoryName("other"));
    String location = start("app");
    refused(404, "BLOB_UPLOAD_UNKNOWN", get(location.replace("/app/", "/other/")));
    assertEquals(204, send("DELETE", location, BodyPublishers.noBody()).statusCode());
    refused(404, "BLOB_UPLOAD_UNKNOWN", get(location));
    refused(404, "BLOB_UPLOAD_UNKNOWN", send("PATCH", location, bytes("abc")));
  }

  @Test
  void layersAreSeenOnlyInTheirRepositoryUntilMounted() {
    server.ecr().createRepository(r -> r.repositoryName("team/other"));
    push("app", "layer");
    String there = "/v2/team/other/blobs/" + digest("layer");
    refused(404, "BLOB_UNKNOWN", get(there));
    String mount = "/v2/team/other/blobs/uploads/?mount=" + digest("layer") + "&from=";
    assertEquals(202, send("POST", mount + "nobody", BodyPublishers.noBody()).statusCode());
    assertEquals(202, send("POST", mount + "..%2Fapp", BodyPublishers.noBody()).statusCode());
    assertEquals(201, send("POST", mount + "app", BodyPublishers.noBody()).statusCode());
    assertEquals("layer", text(get(there)));
    server.ecr().deleteRepository(r -> r.repositoryName("app").force(true));
    assertEquals("layer", text(get(there)));
    server.ecr().deleteRepository(r -> r.repositoryName("team/other"));
    assertEquals(2, blobFiles().size(), "only the two uploads that were not mounts");
  }

  @Test
  void rangesOfABlob() {
    push("app", "0123456789");
    String path = "/v2/app/blobs/" + digest("0123456789");
    HttpResponse<byte[]> middle = get(path, "Range", "bytes=2-4");
    assertEquals(206, middle.statusCode());
    assertEquals("234", text(middle));
    assertEquals("bytes 2-4/10", header(middle, "content-range"));
    assertEquals("789", text(get(path, "Range", "bytes=7-")));
    assertEquals("89", text(get(path, "Range", "bytes=-2")));
    assertEquals("0123456789", text(get(path, "Range", "bytes=0-99")));
    assertEquals(416, get(path, "Range", "bytes=10-").statusCode());
    assertEquals(200, get(path, "Range", "lines=1-2").statusCode());
    HttpResponse<byte[]> head = send("HEAD", path, BodyPublishers.noBody());
    assertEquals("10", header(head, "content-length"));
    assertEquals(digest("0123456789"), header(head, "docker-content-digest"));
  }

  @Test
  void hostileNamesReachNothing() {
    for (String name : List.of("..", "../../etc", "a/../b", "A", "a%2F..%2Fb", "a//b", "-a")) {
      int status = get("/v2/" + name + "/blobs/" + digest("x")).statusCode();
      assertTrue(status == 400 || status == 404, name);
    }
    refused(404, "NAME_UNKNOWN", send("POST", "/v2/none/blobs/uploads/", BodyPublishers.noBody()));
    HttpResponse<byte[]> none = get("/v2/none/manifests/latest");
    assertTrue(
        text(none)
            .contains(
                "The repository with name 'none' does not exist in the registry with id '000000000000'"));
    assertEquals(404, get("/v2/app/blobs/sha256:..%2F..%2Fsecret").statusCode());
    refused(400, "DIGEST_INVALID", get("/v2/app/blobs/sha256:secret"));
    assertEquals(405, send("DELETE", "/v2/app/blobs/" + digest("x"), bytes("")).statusCode());
  }

  // --- manifests

  @Test
  void anImageByTagAndDigest() {
    push("app", "{}");
    push("app", "layer");
    String manifest = manifest("{}", "layer", "");
    HttpResponse<byte[]> put = put("app", "v1", manifest);
    assertEquals(201, put.statusCode(), () -> text(put));
    assertEquals(digest(manifest), header(put, "docker-content-digest"));
    for (String reference : List.of("v1", digest(manifest), digest(manifest).replace(":", "%3A"))) {
      HttpResponse<byte[]> got = get("/v2/app/manifests/" + reference);
      assertEquals(manifest, text(got));
      assertEquals(OCI, header(got, "content-type"));
    }
    assertEquals("{\"name\":\"app\",\"tags\":[\"v1\"]}", text(get("/v2/app/tags/list")));
    assertEquals(201, put("app", "v1", manifest).statusCode());
    refused(404, "MANIFEST_UNKNOWN", get("/v2/app/manifests/v2"));
    refused(400, "MANIFEST_INVALID", put("app", digest("other"), manifest));

    LocalImages local = new LocalImages(server.store, server.host, RegistryServer.HERE);
    for (String name :
        List.of(
            server.host + "/app:v1",
            "127.0.0.1:" + server.port() + "/app:v1",
            "000000000000.dkr.ecr.us-east-1.amazonaws.com/app:v1",
            "000000000000.dkr.ecr.us-east-1." + server.host + "/app@" + digest(manifest))) {
      ImageReference reference = ImageReference.parse(name);
      assertTrue(local.owns(reference), name);
      assertEquals(digest(manifest), local.resolve(reference).orElseThrow(), name);
      assertTrue(server.blobs.file(local.resolve(reference).orElseThrow()).isPresent());
    }
    ImageReference elsewhere =
        ImageReference.parse("111111111111.dkr.ecr.us-east-1.amazonaws.com/app:v1");
    assertTrue(local.owns(elsewhere));
    assertTrue(local.resolve(elsewhere).isEmpty());
    assertEquals(false, local.owns(ImageReference.parse("docker.io/library/app:v1")));
    assertEquals(false, local.owns(ImageReference.parse("localhost:1/app:v1")));
  }

  @Test
  void whatAManifestNamesMustBeThere() {
    push("app", "{}");
    HttpResponse<byte[]> refused = put("app", "v1", manifest("{}", "layer", ""));
    refused(404, "MANIFEST_BLOB_UNKNOWN", refused);
    assertTrue(text(refused).contains(digest("layer")));
    refused(404, "MANIFEST_UNKNOWN", get("/v2/app/manifests/v1"));
    push("app", "layer");
    String wrongSize = manifest("{}", "layer", "").replace("\"size\":5", "\"size\":6");
    refused(400, "MANIFEST_INVALID", put("app", "v1", wrongSize));
    assertEquals(2, blobFiles().size());
  }

  @Test
  void anIndexAndItsImages() {
    push("app", "{}");
    push("app", "layer");
    String image = manifest("{}", "layer", "");
    String index =
        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}]}"
            .formatted(Manifest.OCI_INDEX, OCI, digest(image), image.length());
    String path = "/v2/app/manifests/multi";
    HttpResponse<byte[]> early =
        send("PUT", path, bytes(index), "Content-Type", Manifest.OCI_INDEX);
    refused(404, "MANIFEST_BLOB_UNKNOWN", early);
    put("app", digest(image), image);
    assertEquals(
        201, send("PUT", path, bytes(index), "Content-Type", Manifest.OCI_INDEX).statusCode());
    String child = "/v2/app/manifests/" + digest(image);
    refused(403, "DENIED", send("DELETE", child, BodyPublishers.noBody()));
    assertEquals(202, send("DELETE", path, BodyPublishers.noBody()).statusCode());
    assertEquals(202, send("DELETE", child, BodyPublishers.noBody()).statusCode());
    assertEquals(List.of(), blobFiles());
  }

  @Test
  void manifestsThatAreNone() {
    push("app", "{}");
    push("app", "layer");
    String good = manifest("{}", "layer", "");
    for (String bad :
        List.of(
            "",
            "[]",
            "{",
            good + "x",
            good.replace("\"schemaVersion\":2", "\"schemaVersion\":1"),
            good.replace(OCI, "text/plain"),
            good.replace(OCI, Manifest.DOCKER),
            good.replace("sha256", "md5"),
            good.replace("\"size\":5", "\"size\":-5"),
            good.replace("\"size\":5", "\"size\":\"5\""),
            good.replace("\"config\"", "\"configuration\""),
            good.replace("\"layers\"", "\"manifests\""))) {
      refused(400, "MANIFEST_INVALID", put("app", "v1", bad));
    }
    refused(413, "SIZE_INVALID", put("app", "v1", good + " ".repeat(Manifest.MOST_BYTES)));
    refused(400, "TAG_INVALID", put("app", "-v1", good));
    assertEquals(2, blobFiles().size());
  }

  @Test
  void immutableTagsStay() {
    server
        .ecr()
        .putImageTagMutability(
            r -> r.repositoryName("app").imageTagMutability(ImageTagMutability.IMMUTABLE));
    push("app", "{}");
    push("app", "layer");
    assertEquals(201, put("app", "v1", manifest("{}", "layer", "")).statusCode());
    HttpResponse<byte[]> again = put("app", "v1", manifest("{}", "layer", ",\"annotations\":{}"));
    refused(400, "TAG_INVALID", again);
    assertTrue(
        text(again)
            .contains(
                "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable."));
    assertEquals(3, blobFiles().size());
  }

  @Test
  void referrers() {
    push("app", "{}");
    push("app", "layer");
    String image = manifest("{}", "layer", "");
    put("app", "v1", image);
    String subject =
        ",\"artifactType\":\"application/x.signature\",\"annotations\":{\"by\":\"me\"},\"subject\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
            .formatted(OCI, digest(image), image.length());
    String signature = manifest("{}", "layer", subject);
    HttpResponse<byte[]> put = put("app", digest(signature), signature);
    assertEquals(digest(image), header(put, "oci-subject"));
    String path = "/v2/app/referrers/" + digest(image);
    assertTrue(text(get(path)).contains(digest(signature)));
    assertTrue(text(get(path)).contains("\"annotations\":{\"by\":\"me\"}"));
    assertEquals(false, text(get(path + "?artifactType=other")).contains(digest(signature)));
  }

  @Test
  void listsInPages() {
    push("app", "{}");
    push("app", "layer");
    for (String tag : List.of("c", "a", "b")) {
      put("app", tag, manifest("{}", "layer", ""));
    }
    HttpResponse<byte[]> first = get("/v2/app/tags/list?n=2");
    assertTrue(text(first).contains("[\"a\",\"b\"]"));
    assertEquals("</v2/app/tags/list?n=2&last=b>; rel=\"next\"", header(first, "link"));
    HttpResponse<byte[]> second = get("/v2/app/tags/list?n=2&last=b");
    assertTrue(text(second).contains("[\"c\"]"));
    assertEquals("", header(second, "link"));
    assertEquals(400, get("/v2/app/tags/list?n=x").statusCode());
    server.ecr().createRepository(r -> r.repositoryName("zoo"));
    assertEquals("{\"repositories\":[\"app\",\"zoo\"]}", text(get("/v2/_catalog")));
  }

  @Test
  void manyPushTheSameTagAtOnce() throws Exception {
    List<Future<?>> all = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 8; i++) {
        String layer = i % 2 == 0 ? "shared" : "layer" + i;
        all.add(
            threads.submit(() -> {
              push("app", "{}");
              push("app", layer);
              assertEquals(201, put("app", "v1", manifest("{}", layer, "")).statusCode());
            }));
      }
    }
    for (Future<?> one : all) {
      one.get();
    }
    String tagged = header(get("/v2/app/manifests/v1"), "docker-content-digest");
    assertEquals(tagged, digest(text(get("/v2/app/manifests/v1"))));
    assertEquals(5, server.ecr().images().all("app").size());
    assertThrows(
        software.amazon.awssdk.services.ecr.model.RepositoryNotEmptyException.class,
        () -> server.ecr().deleteRepository(r -> r.repositoryName("app")));
    server.ecr().deleteRepository(r -> r.repositoryName("app").force(true));
    assertEquals(List.of(), blobFiles());
  }

  @Test
  void whatNoImageCameForIsDroppedAfterADay() throws IOException {
    push("app", "forgotten");
    server.now = server.now.plus(Duration.ofDays(2));
    login = basic(server.password(RegistryServer.HERE));
    push("app", "fresh");
    Instant later = server.now;
    restart();
    server.now = later;
    server.ecr();
    assertEquals(1, blobFiles().size());
    assertEquals(200, get("/v2/app/blobs/" + digest("fresh")).statusCode());
  }
}

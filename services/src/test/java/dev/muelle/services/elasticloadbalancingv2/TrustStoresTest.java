package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.acm.model.KeyAlgorithm;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Certificate;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ListenerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.MutualAuthenticationAttributes;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationContent;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStore;

/** Trust stores and listeners that use them; certificates made by openssl, clients are curl. */
class TrustStoresTest extends ElbV2World {

  private static final String BUCKET = "authorities";

  private LoadBalancer balancer;
  private Path made;
  private Path objects;
  private int port;

  @BeforeEach
  void begin() throws Exception {
    made = Files.createDirectory(directory.resolve("made"));
    objects = Files.createDirectories(directory.resolve("objects").resolve(BUCKET));
    balancer = machine.balancer("web");
    port = freePort();
    authority("ca");
    Files.copy(made.resolve("ca.pem"), objects.resolve("ca.pem"));
  }

  private void openssl(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .directory(made.toFile())
            .redirectErrorStream(true)
            .redirectOutput(made.resolve("log").toFile())
            .start();
    assertEquals(0, process.waitFor(), () -> command + ": " + read(made.resolve("log")));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private void authority(String name) throws Exception {
    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "3",
        "-subj",
        "/CN=" + name,
        "-keyout",
        name + ".key",
        "-out",
        name + ".pem");
    Files.writeString(
        made.resolve(name + ".cnf"),
        """
        [ca]
        default_ca = d
        [d]
        database = NAME.index
        crlnumber = NAME.number
        default_md = sha256
        default_crl_days = 1
        private_key = NAME.key
        certificate = NAME.pem
        """
            .replace("NAME", name));
    Files.writeString(made.resolve(name + ".index"), "");
    Files.writeString(made.resolve(name + ".number"), "01\n");
  }

  private void client(String name, String authority) throws Exception {
    Files.writeString(made.resolve("ext"), "basicConstraints=CA:FALSE\n");
    openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/O=Muelle/CN=" + name,
        "-keyout",
        name + ".key",
        "-out",
        name + ".csr");
    openssl(
        "x509",
        "-req",
        "-in",
        name + ".csr",
        "-CA",
        authority + ".pem",
        "-CAkey",
        authority + ".key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "ext",
        "-out",
        name + ".pem");
  }

  /** A list of revoked certificates, put where the region finds it. */
  private RevocationContent revoked(String authority, String... clients) throws Exception {
    for (String client : clients) {
      openssl("ca", "-config", authority + ".cnf", "-revoke", client + ".pem");
    }
    openssl("ca", "-config", authority + ".cnf", "-gencrl", "-out", "crl.pem");
    Files.copy(
        made.resolve("crl.pem"),
        objects.resolve("crl.pem"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    return RevocationContent.builder()
        .s3Bucket(BUCKET)
        .s3Key("crl.pem")
        .revocationType("CRL")
        .build();
  }

  private TrustStore store(String name, String key) {
    return elb.createTrustStore(
            r -> r.name(name).caCertificatesBundleS3Bucket(BUCKET).caCertificatesBundleS3Key(key))
        .trustStores()
        .getFirst();
  }

  private Listener listener(Consumer<MutualAuthenticationAttributes.Builder> mutual) {
    String certificate =
        machine
            .acm()
            .requestCertificate(r ->
                r.domainName(balancer.dnsName().toLowerCase(java.util.Locale.ROOT))
                    .keyAlgorithm(KeyAlgorithm.EC_PRIME256_V1))
            .certificateArn();
    return elb.createListener(r ->
            r.loadBalancerArn(balancer.loadBalancerArn())
                .protocol("HTTPS")
                .port(port)
                .certificates(Certificate.builder().certificateArn(certificate).build())
                .mutualAuthentication(mutual)
                .defaultActions(Machine.says("hello")))
        .listeners()
        .getFirst();
  }

  /** What curl gets, with the answer's head; empty if it does not come in. */
  private String curl(String... arguments) throws Exception {
    String name = balancer.dnsName().toLowerCase(java.util.Locale.ROOT);
    List<String> command =
        new ArrayList<>(
            List.of(
                "curl",
                "-s",
                "-i",
                "--max-time",
                "60",
                "--resolve",
                name + ":" + port + ":127.0.0.1",
                "--cacert",
                directory.resolve("authority.pem").toString()));
    command.addAll(List.of(arguments));
    command.add("https://" + name + ":" + port + "/");
    Process process = new ProcessBuilder(command).directory(made.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    assertEquals(status == 0, !out.isEmpty(), () -> command + ": " + status);
    return out;
  }

  private String as(String client) throws Exception {
    return curl("--cert", client + ".pem", "--key", client + ".key");
  }

  @Test
  void onlyWhoTheTrustStoreVouchesForComesIn() throws Exception {
    TrustStore store = store("mine", "ca.pem");
    assertTrue(
        store
            .trustStoreArn()
            .matches(
                "arn:aws:elasticloadbalancing:us-east-1:000000000000:truststore/mine/[0-9a-f]{16}"));
    assertEquals("ACTIVE", store.statusAsString());
    assertEquals(1, store.numberOfCaCertificates());
    Listener listener = listener(m -> m.mode("verify").trustStoreArn(store.trustStoreArn()));
    assertEquals(
        MutualAuthenticationAttributes.builder()
            .mode("verify")
            .trustStoreArn(store.trustStoreArn())
            .ignoreClientCertificateExpiry(false)
            .trustStoreAssociationStatus("active")
            .advertiseTrustStoreCaNames("off")
            .build(),
        listener.mutualAuthentication());
    client("ana", "ca");
    client("ben", "ca");
    authority("other");
    client("eve", "other");
    assertTrue(as("ana").endsWith("hello"));
    assertTrue(as("ben").endsWith("hello"));
    assertEquals("", as("eve"));
    assertEquals("", curl());

    var added =
        elb.addTrustStoreRevocations(r ->
                r.trustStoreArn(store.trustStoreArn())
                    .revocationContents(unchecked(() -> revoked("ca", "ana"))))
            .trustStoreRevocations()
            .getFirst();
    assertEquals(1, added.numberOfRevokedEntries());
    assertEquals("", as("ana"));
    assertTrue(as("ben").endsWith("hello"));
    assertEquals(
        1L,
        elb.describeTrustStores(r -> r.names("mine"))
            .trustStores()
            .getFirst()
            .totalRevokedEntries());

    machine.restart();
    elb = machine.elb();
    Machine.until(true, () -> as("ben").endsWith("hello"));
    assertEquals("", as("ana"));

    elb.removeTrustStoreRevocations(
        r -> r.trustStoreArn(store.trustStoreArn()).revocationIds(added.revocationId()));
    assertTrue(as("ana").endsWith("hello"));

    Files.copy(made.resolve("other.pem"), objects.resolve("other.pem"));
    elb.modifyTrustStore(r ->
        r.trustStoreArn(store.trustStoreArn())
            .caCertificatesBundleS3Bucket(BUCKET)
            .caCertificatesBundleS3Key("other.pem"));
    assertEquals("", as("ana"));
    assertTrue(as("eve").endsWith("hello"));

    elb.modifyListener(
        r -> r.listenerArn(listener.listenerArn()).mutualAuthentication(m -> m.mode("off")));
    assertTrue(curl().endsWith("hello"));
    elb.deleteTrustStore(r -> r.trustStoreArn(store.trustStoreArn()));
    refused(
        "TrustStoreNotFound",
        "not found",
        () -> elb.describeTrustStores(r -> r.trustStoreArns(store.trustStoreArn())));
  }

  private static <T> T unchecked(java.util.concurrent.Callable<T> call) {
    try {
      return call.call();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aTrustStoreIsUsedFoundAndReadBack() throws Exception {
    String arn = store("mine", "ca.pem").trustStoreArn();
    Listener listener = listener(m -> m.mode("verify").trustStoreArn(arn));
    assertEquals(
        balancer.loadBalancerArn(),
        elb.describeTrustStoreAssociations(r -> r.trustStoreArn(arn))
            .trustStoreAssociations()
            .getFirst()
            .resourceArn());
    refused("TrustStoreInUse", "in use", () -> elb.deleteTrustStore(r -> r.trustStoreArn(arn)));
    refused(
        "ResourceNotFound",
        "No resource policy",
        () -> elb.getResourcePolicy(r -> r.resourceArn(arn)));
    refused(
        "DeleteAssociationSameAccount",
        "within the same account",
        () ->
            elb.deleteSharedTrustStoreAssociation(
                r -> r.trustStoreArn(arn).resourceArn(balancer.loadBalancerArn())));
    refused(
        "AssociationNotFound",
        "does not exist",
        () ->
            elb.deleteSharedTrustStoreAssociation(
                r -> r.trustStoreArn(arn).resourceArn(listener.listenerArn())));
    elb.modifyListener(r -> r.listenerArn(listener.listenerArn()).port(freePort()));
    assertEquals(
        "verify",
        elb.describeListeners(r -> r.listenerArns(listener.listenerArn()))
            .listeners()
            .getFirst()
            .mutualAuthentication()
            .mode(),
        "kept where nothing is said of it");
    String link = elb.getTrustStoreCaCertificatesBundle(r -> r.trustStoreArn(arn)).location();
    assertArrayEquals(Files.readAllBytes(made.resolve("ca.pem")), follow(link));
    client("ana", "ca");
    RevocationContent content = revoked("ca", "ana");
    long id =
        elb.addTrustStoreRevocations(r -> r.trustStoreArn(arn).revocationContents(content))
            .trustStoreRevocations()
            .getFirst()
            .revocationId();
    assertArrayEquals(
        Files.readAllBytes(made.resolve("crl.pem")),
        follow(
            elb.getTrustStoreRevocationContent(r -> r.trustStoreArn(arn).revocationId(id))
                .location()));
    assertEquals(
        List.of(id),
        elb
            .describeTrustStoreRevocations(r -> r.trustStoreArn(arn))
            .trustStoreRevocations()
            .stream()
            .map(one -> one.revocationId())
            .toList());
    refused(
        "RevocationIdNotFound",
        "'77'",
        () -> elb.removeTrustStoreRevocations(r -> r.trustStoreArn(arn).revocationIds(77L)));
    elb.addTags(r -> r.resourceArns(arn).tags(Tag.builder().key("a").value("b").build()));
    assertEquals(
        "b",
        elb.describeTags(r -> r.resourceArns(arn))
            .tagDescriptions()
            .getFirst()
            .tags()
            .getFirst()
            .value());
  }

  private byte[] follow(String link) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    machine.objects.follow(URI.create(link).getPath()).body().writeTo(out);
    return out.toByteArray();
  }

  @Test
  void whatIsNoTrustStoreIsRefused() throws Exception {
    String arn = store("mine", "ca.pem").trustStoreArn();
    refused("DuplicateTrustStoreName", "'mine'", () -> store("mine", "ca.pem"));
    refused("ValidationError", "not valid", () -> store("-x", "ca.pem"));
    refused("CaCertificatesBundleNotFound", "none.pem", () -> store("x", "none.pem"));
    refused("ValidationError", "not a key", () -> store("x", "../../authority.key"));
    Files.writeString(objects.resolve("text"), "hello");
    refused("InvalidCaCertificatesBundle", "text", () -> store("x", "text"));
    client("ana", "ca");
    Files.copy(made.resolve("ana.pem"), objects.resolve("ana.pem"));
    refused("InvalidCaCertificatesBundle", "ana.pem", () -> store("x", "ana.pem"));
    Files.writeString(objects.resolve("many"), Files.readString(made.resolve("ca.pem")).repeat(26));
    refused("InvalidCaCertificatesBundle", "many", () -> store("x", "many"));
    refused(
        "RevocationContentNotFound",
        "none.pem",
        () ->
            elb.addTrustStoreRevocations(r ->
                r.trustStoreArn(arn)
                    .revocationContents(
                        RevocationContent.builder().s3Bucket(BUCKET).s3Key("none.pem").build())));
    authority("other");
    client("eve", "other");
    RevocationContent byOther = revoked("other", "eve");
    refused(
        "InvalidRevocationContent",
        "crl.pem",
        () -> elb.addTrustStoreRevocations(r -> r.trustStoreArn(arn).revocationContents(byOther)));
    for (Map.Entry<String, Consumer<MutualAuthenticationAttributes.Builder>> wrong :
        Map.<String, Consumer<MutualAuthenticationAttributes.Builder>>of(
                "'some' must be one of", m -> m.mode("some"),
                "trust store ARN must", m -> m.mode("verify"),
                "only for mutual authentication mode 'verify'",
                    m -> m.mode("passthrough").trustStoreArn(arn),
                "not a valid trust store ARN", m -> m.mode("verify").trustStoreArn("x"))
            .entrySet()) {
      refused("ValidationError", wrong.getKey(), () -> listener(wrong.getValue()));
    }
    refused(
        "TrustStoreNotFound",
        "not found",
        () -> listener(m -> m.mode("verify").trustStoreArn(arn + "0")));
  }

  @Test
  void attributesOfAListener() throws Exception {
    Listener listener = listener(m -> m.mode("off"));
    String arn = listener.listenerArn();
    assertEquals(19, elb.describeListenerAttributes(r -> r.listenerArn(arn)).attributes().size());
    var changed =
        elb.modifyListenerAttributes(r ->
            r.listenerArn(arn)
                .attributes(
                    of("routing.http.response.server.enabled", "false"),
                    of(
                        "routing.http.response.strict_transport_security.header_value",
                        "max-age=31536000; includeSubDomains"),
                    of("routing.http.request.x_amzn_tls_version.header_name", "X-Tls")));
    assertTrue(
        changed
            .attributes()
            .contains(of("routing.http.request.x_amzn_tls_version.header_name", "X-Tls")));
    String answer = curl("--http1.1");
    assertTrue(
        answer.contains("strict-transport-security: max-age=31536000; includeSubDomains\r\n"),
        answer);
    assertTrue(!answer.contains("awselb"), answer);
    answer = curl("--http2");
    assertTrue(answer.startsWith("HTTP/2 200"), answer);
    assertTrue(answer.contains("strict-transport-security: max-age=31536000"), answer);
    assertTrue(!answer.contains("awselb"), answer);
    for (ListenerAttribute wrong :
        List.of(
            of("routing.http.response.x_frame_options.header_value", "NEVER"),
            of("routing.http.response.access_control_max_age.header_value", "86401"),
            of("routing.http.response.content_security_policy.header_value", "a\r\nb: c"),
            of("routing.http.request.x_amzn_tls_version.header_name", "Content-Length"),
            of("routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Cipher-Suite"),
            of("routing.http.request.x_amzn_tls_version.header_name", "a b"),
            of("routing.http.response.server.enabled", "no"))) {
      refused(
          "ValidationError",
          "is not valid for the attribute '" + wrong.key() + "'",
          () -> elb.modifyListenerAttributes(r -> r.listenerArn(arn).attributes(wrong)));
    }
    refused(
        "ValidationError",
        "not recognized",
        () -> elb.modifyListenerAttributes(r -> r.listenerArn(arn).attributes(of("a", "b"))));
  }

  private static ListenerAttribute of(String key, String value) {
    return ListenerAttribute.builder().key(key).value(value).build();
  }
}

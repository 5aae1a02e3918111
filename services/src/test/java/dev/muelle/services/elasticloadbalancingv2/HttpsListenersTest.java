package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.acm.model.ImportCertificateRequest;
import software.amazon.awssdk.services.acm.model.KeyAlgorithm;
import software.amazon.awssdk.services.acm.model.ResourceInUseException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Certificate;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleCondition;

/** HTTPS listeners with certificates of ACM; clients trust the region's authority only. */
class HttpsListenersTest extends ElbV2World {

  private LoadBalancer balancer;
  private SSLContext trust;
  private int port;

  @BeforeEach
  void begin() throws Exception {
    balancer = machine.balancer("web");
    port = freePort();
    trust = machine.trust();
  }

  private String certificate(String... names) {
    return machine
        .acm()
        .requestCertificate(r ->
            r.domainName(names[0])
                .subjectAlternativeNames(names)
                .keyAlgorithm(KeyAlgorithm.EC_PRIME256_V1))
        .certificateArn();
  }

  private static Certificate of(String arn) {
    return Certificate.builder().certificateArn(arn).build();
  }

  private Listener https(String arn) {
    return elb.createListener(r ->
            r.loadBalancerArn(balancer.loadBalancerArn())
                .protocol("HTTPS")
                .port(port)
                .certificates(of(arn))
                .defaultActions(Machine.says("hello")))
        .listeners()
        .getFirst();
  }

  /** A client that checks the certificate against the name that it asks for. */
  private SSLSocket connect(String address, String name, String... protocols) throws Exception {
    return connect(address, name, List.of(), protocols);
  }

  private SSLSocket connect(
      String address, String name, List<String> applications, String... protocols)
      throws Exception {
    SSLSocket socket =
        (SSLSocket)
            trust
                .getSocketFactory()
                .createSocket(new Socket(InetAddress.ofLiteral(address), port), name, port, true);
    socket.setSoTimeout(20_000);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setServerNames(List.of(new SNIHostName(name)));
    parameters.setApplicationProtocols(applications.toArray(String[]::new));
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    if (protocols.length > 0) {
      parameters.setProtocols(protocols);
    }
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  private String ask(String name) throws Exception {
    try (SSLSocket socket = connect("127.0.0.1", name)) {
      socket
          .getOutputStream()
          .write(
              ("GET / HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  private String serial(String name) throws Exception {
    try (SSLSocket socket = connect("127.0.0.1", name)) {
      return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
          .getSerialNumber()
          .toString(16);
    }
  }

  @Test
  void aCertificateIsServedAndIsInUse() throws Exception {
    String arn = certificate(balancer.dnsName());
    Listener listener = https(arn);
    assertEquals("ELBSecurityPolicy-2016-08", listener.sslPolicy());
    assertEquals("off", listener.mutualAuthentication().mode());
    assertEquals(List.of(of(arn)), listener.certificates());
    assertTrue(ask(balancer.dnsName()).endsWith("hello"));
    assertEquals(
        List.of(balancer.loadBalancerArn()),
        machine.acm().describeCertificate(r -> r.certificateArn(arn)).certificate().inUseBy());
    assertThrows(
        ResourceInUseException.class,
        () -> machine.acm().deleteCertificate(r -> r.certificateArn(arn)));
    machine.restart();
    elb = machine.elb();
    Machine.until(true, () -> answers(balancer.dnsName()));
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(balancer.loadBalancerArn()));
    machine.acm().deleteCertificate(r -> r.certificateArn(arn));
  }

  private boolean answers(String name) {
    try {
      return ask(name).endsWith("hello");
    } catch (Exception e) {
      return false;
    }
  }

  @Test
  void moreCertificatesAreChosenByName() throws Exception {
    String first = certificate(balancer.dnsName());
    String shop = certificate("*.shop.test");
    String api = certificate("api.test", "www.api.test");
    Listener listener = https(first);
    String arn = listener.listenerArn();
    elb.addListenerCertificates(r -> r.listenerArn(arn).certificates(of(shop), of(api)));
    elb.addListenerCertificates(r -> r.listenerArn(arn).certificates(of(shop))); // again
    for (String name : List.of("a.shop.test", "api.test", "www.api.test", balancer.dnsName())) {
      assertTrue(ask(name).endsWith("hello"), name);
    }
    var described =
        elb.describeListenerCertificates(r -> r.listenerArn(arn).pageSize(1)).certificates();
    assertEquals(List.of(of(first).toBuilder().isDefault(true).build()), described);
    assertEquals(
        3, elb.describeListenerCertificates(r -> r.listenerArn(arn)).certificates().size());
    elb.removeListenerCertificates(r -> r.listenerArn(arn).certificates(of(shop)));
    assertThrows(Exception.class, () -> ask("a.shop.test"));
    refused(
        "OperationNotPermitted",
        "Default certificate",
        () -> elb.removeListenerCertificates(r -> r.listenerArn(arn).certificates(of(first))));
    machine.acm().deleteCertificate(r -> r.certificateArn(shop));
    machine.restart();
    elb = machine.elb();
    Machine.until(true, () -> answers("api.test"));
  }

  private String version(String name) throws Exception {
    try (SSLSocket socket = connect("127.0.0.1", name, List.of("h2", "http/1.1"))) {
      return socket.getApplicationProtocol();
    }
  }

  @Test
  void http2IsOfferedUnlessItIsSwitchedOff() throws Exception {
    https(certificate(balancer.dnsName()));
    answers(balancer.dnsName());
    assertEquals("h2", version(balancer.dnsName()));
    http2("false");
    while (version(balancer.dnsName()).equals("h2")) {
      // the change is on its way
    }
    assertEquals("http/1.1", version(balancer.dnsName()));
    http2("true");
    while (version(balancer.dnsName()).equals("http/1.1")) {
      // the change is on its way
    }
  }

  @Test
  void aListenerWithTargetsOfGrpcStaysHttps() {
    String vpc = balancer.vpcId();
    String group =
        elb.createTargetGroup(r ->
                r.name("calls")
                    .protocol("HTTP")
                    .protocolVersion("GRPC")
                    .port(50_051)
                    .targetType("ip")
                    .vpcId(vpc))
            .targetGroups()
            .getFirst()
            .targetGroupArn();
    String arn = https(certificate(balancer.dnsName())).listenerArn();
    elb.createRule(r ->
        r.listenerArn(arn)
            .priority(1)
            .conditions(
                RuleCondition.builder().field("path-pattern").values("/muelle.Echo/*").build())
            .actions(Machine.to(group)));
    refused(
        "InvalidLoadBalancerAction",
        "Listener protocol 'HTTP' is not supported with a target group with the protocol-version"
            + " 'GRPC'",
        () -> elb.modifyListener(r -> r.listenerArn(arn).protocol("HTTP")));
  }

  private void http2(String enabled) {
    elb.modifyLoadBalancerAttributes(r ->
        r.loadBalancerArn(balancer.loadBalancerArn())
            .attributes(
                LoadBalancerAttribute.builder()
                    .key("routing.http2.enabled")
                    .value(enabled)
                    .build()));
  }

  @Test
  void thePolicySaysWhatIsSpoken() throws Exception {
    Listener listener = https(certificate(balancer.dnsName()));
    elb.modifyListener(r ->
        r.listenerArn(listener.listenerArn()).sslPolicy("ELBSecurityPolicy-TLS13-1-3-2021-06"));
    try (SSLSocket socket = connect("127.0.0.1", balancer.dnsName())) {
      assertEquals("TLSv1.3", socket.getSession().getProtocol());
    }
    assertThrows(Exception.class, () -> connect("127.0.0.1", balancer.dnsName(), "TLSv1.2"));
    elb.modifyListener(
        r -> r.listenerArn(listener.listenerArn()).sslPolicy("ELBSecurityPolicy-TLS-1-2-2017-01"));
    try (SSLSocket socket = connect("127.0.0.1", balancer.dnsName())) {
      assertEquals("TLSv1.2", socket.getSession().getProtocol());
    }
    refused(
        "SSLPolicyNotFound",
        "'none'",
        () -> elb.modifyListener(r -> r.listenerArn(listener.listenerArn()).sslPolicy("none")));
    String fips = "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09";
    elb.modifyListener(r -> r.listenerArn(listener.listenerArn()).sslPolicy(fips));
    assertThrows(
        InvalidConfigurationRequestException.class,
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(balancer.loadBalancerArn())
                    .protocol("HTTPS")
                    .port(port + 1)
                    .certificates(listener.certificates())
                    .sslPolicy("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09")
                    .defaultActions(Machine.says("mixed"))));
  }

  @Test
  void aListenerBecomesHttpsAndHttpAgain() throws Exception {
    String arn = certificate(balancer.dnsName());
    String listener =
        elb.createListener(r ->
                r.loadBalancerArn(balancer.loadBalancerArn())
                    .protocol("HTTP")
                    .port(port)
                    .defaultActions(Machine.says("hello")))
            .listeners()
            .getFirst()
            .listenerArn();
    refused(
        "ValidationError",
        "A certificate must be specified for HTTPS listeners",
        () -> elb.modifyListener(r -> r.listenerArn(listener).protocol("HTTPS")));
    elb.modifyListener(r -> r.listenerArn(listener).protocol("HTTPS").certificates(of(arn)));
    assertTrue(ask(balancer.dnsName()).endsWith("hello"));
    Listener plain =
        elb.modifyListener(r -> r.listenerArn(listener).protocol("HTTP")).listeners().getFirst();
    assertFalse(plain.hasCertificates() && !plain.certificates().isEmpty());
    assertTrue(Machine.get("127.0.0.1", port, balancer.dnsName()).endsWith("hello"));
    machine.acm().deleteCertificate(r -> r.certificateArn(arn));
  }

  @Test
  void anotherDefaultCertificateIsServedAtOnce() throws Exception {
    String one = certificate(balancer.dnsName());
    String two = certificate(balancer.dnsName());
    Listener listener = https(one);
    String before = serial(balancer.dnsName());
    elb.modifyListener(r -> r.listenerArn(listener.listenerArn()).certificates(of(two)));
    assertFalse(before.equals(serial(balancer.dnsName())));
    machine.acm().deleteCertificate(r -> r.certificateArn(one));
  }

  @Test
  void aCertificateThatIsImportedAnewIsServed() throws Exception {
    String arn = machine.acm().importCertificate(brought(100, "any.test").build()).certificateArn();
    https(arn);
    trust = SSLContext.getInstance("TLS");
    trust.init(null, new TrustManager[] {new Anybody()}, null);
    assertEquals("64", serial("any.test"));
    machine.acm().importCertificate(brought(200, "any.test").certificateArn(arn).build());
    Machine.until("c8", () -> serial("any.test"));
  }

  /** A certificate that signs itself. */
  private static ImportCertificateRequest.Builder brought(int serial, String name)
      throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    KeyPair pair = generator.generateKeyPair();
    X500Principal subject = new X500Principal("CN=" + name);
    Instant now = Instant.now();
    var builder =
        new JcaX509v3CertificateBuilder(
            subject,
            BigInteger.valueOf(serial),
            Date.from(now.minusSeconds(60)),
            Date.from(now.plusSeconds(3600)),
            subject,
            pair.getPublic());
    builder.addExtension(
        Extension.subjectAlternativeName,
        false,
        new GeneralNames(new GeneralName(GeneralName.dNSName, name)));
    byte[] certificate =
        builder
            .build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate()))
            .getEncoded();
    return ImportCertificateRequest.builder()
        .certificate(pem("CERTIFICATE", certificate))
        .privateKey(pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
  }

  private static SdkBytes pem(String type, byte[] content) {
    return SdkBytes.fromUtf8String(
        "-----BEGIN "
            + type
            + "-----\n"
            + Base64.getMimeEncoder().encodeToString(content)
            + "\n-----END "
            + type
            + "-----\n");
  }

  /** Believes every server. */
  private static final class Anybody extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  /** What a client is told that offers these protocols, the best one first. */
  private String negotiated(String... offered) throws Exception {
    try (SSLSocket socket = connect("127.0.0.1", "flows.test", List.of(offered))) {
      return socket.getApplicationProtocol();
    }
  }

  @Test
  void aTlsListenerNegotiatesAsItsAlpnPolicySays() throws Exception {
    String certificate = certificate("flows.test");
    List<String> subnets = machine.subnetIds();
    String flows =
        elb.createLoadBalancer(r -> r.name("flows").type("network").subnets(subnets))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn();
    machine.active(flows);
    String group =
        elb.createTargetGroup(
                r -> r.name("tcp").protocol("TCP").port(80).vpcId(machine.vpc()).targetType("ip"))
            .targetGroups()
            .getFirst()
            .targetGroupArn();
    String listener =
        elb.createListener(r ->
                r.loadBalancerArn(flows)
                    .protocol("TLS")
                    .port(port)
                    .certificates(of(certificate))
                    .alpnPolicy("HTTP2Preferred")
                    .defaultActions(Machine.to(group)))
            .listeners()
            .getFirst()
            .listenerArn();
    assertEquals("h2", negotiated("http/1.1", "h2"));
    assertEquals("http/1.0", negotiated("http/1.0"));
    Map<String, String> both = // whatever the client likes best
        Map.of("HTTP1Only", "http/1.1", "HTTP2Only", "h2", "HTTP2Optional", "http/1.1", "None", "");
    for (String policy : both.keySet()) {
      assertEquals(
          List.of(policy),
          elb.modifyListener(r -> r.listenerArn(listener).alpnPolicy(policy))
              .listeners()
              .getFirst()
              .alpnPolicy());
      assertEquals(both.get(policy), negotiated("h2", "http/1.1"), policy);
      assertEquals(both.get(policy), negotiated("http/1.1", "h2"), policy);
    }
    elb.modifyListener(r -> r.listenerArn(listener).alpnPolicy("HTTP2Only"));
    assertEquals("", negotiated("http/1.1"), "without a match there is none");
    refused(
        "ALPNPolicyNotFound",
        "HTTP3",
        () -> elb.modifyListener(r -> r.listenerArn(listener).alpnPolicy("HTTP3")));
    refused(
        "ValidationError",
        "one ALPN policy",
        () -> elb.modifyListener(r -> r.listenerArn(listener).alpnPolicy("None", "HTTP2Only")));
    elb.modifyListener(
        r -> r.listenerArn(listener).protocol("TCP").certificates(List.<Certificate>of()));
    assertEquals(
        List.of(),
        elb.describeListeners(r -> r.listenerArns(listener)).listeners().getFirst().alpnPolicy());
  }

  @Test
  void whatAListenerCannotServeIsRefused() {
    String arn = certificate("a.test");
    refused("ValidationError", "A certificate must be", () -> create("HTTPS", null));
    refused("ValidationError", "cannot be specified for HTTP", () -> create("HTTP", arn));
    refused(
        "CertificateNotFound",
        "not found",
        () -> create("HTTPS", "arn:aws:acm:us-east-1:000000000000:certificate/none"));
    refused(
        "ValidationError",
        "An ALPN policy cannot be specified for HTTPS listeners",
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(balancer.loadBalancerArn())
                    .protocol("HTTPS")
                    .port(port)
                    .certificates(of(arn))
                    .alpnPolicy("HTTP2Only")
                    .defaultActions(Machine.says("x"))));
    refused(
        "ValidationError",
        "trust store ARN must",
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(balancer.loadBalancerArn())
                    .protocol("HTTPS")
                    .port(port)
                    .certificates(of(arn))
                    .mutualAuthentication(m -> m.mode("verify"))
                    .defaultActions(Machine.says("x"))));
    assertEquals(
        List.of(),
        machine.acm().describeCertificate(r -> r.certificateArn(arn)).certificate().inUseBy());
  }

  private void create(String protocol, String arn) {
    elb.createListener(r -> {
      r.loadBalancerArn(balancer.loadBalancerArn())
          .protocol(protocol)
          .port(port)
          .defaultActions(Machine.says("x"));
      if (arn != null) {
        r.certificates(of(arn));
      }
    });
  }

  @Test
  void twoWhoChangeCertificatesAtOnceBothSucceed() throws Exception {
    Listener listener = https(certificate(balancer.dnsName()));
    List<String> arns = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      arns.add(certificate("n" + i + ".test"));
    }
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Object>> work = new ArrayList<>();
      for (String arn : arns) {
        work.add(() ->
            elb.addListenerCertificates(
                r -> r.listenerArn(listener.listenerArn()).certificates(of(arn))));
      }
      for (Future<Object> done : threads.invokeAll(work)) {
        done.get();
      }
    }
    for (int i = 0; i < 8; i++) {
      assertTrue(ask("n" + i + ".test").endsWith("hello"));
    }
    for (int i = 8; i < 26; i++) {
      arns.add(certificate("n" + i + ".test"));
    }
    refused(
        "TooManyCertificates",
        "maximum number",
        () ->
            elb.addListenerCertificates(r ->
                r.listenerArn(listener.listenerArn())
                    .certificates(arns.stream().map(HttpsListenersTest::of).toList())));
  }

  @Test
  void deletionAndUseAtOnceDoNotBothSucceed() throws Exception {
    Listener listener = https(certificate(balancer.dnsName()));
    for (int i = 0; i < 10; i++) {
      String arn = certificate("x.test");
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        Future<Boolean> added =
            threads.submit(() ->
                succeeds(() ->
                    elb.addListenerCertificates(
                        r -> r.listenerArn(listener.listenerArn()).certificates(of(arn)))));
        Future<Boolean> deleted =
            threads.submit(
                () -> succeeds(() -> machine.acm().deleteCertificate(r -> r.certificateArn(arn))));
        assertTrue(added.get() != deleted.get());
      }
    }
  }

  private static boolean succeeds(Runnable call) {
    try {
      call.run();
      return true;
    } catch (software.amazon.awssdk.awscore.exception.AwsServiceException e) {
      return false;
    }
  }
}

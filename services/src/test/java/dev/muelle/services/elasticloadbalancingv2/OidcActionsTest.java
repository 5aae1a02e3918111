package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.contains;
import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.elasticloadbalancingv2.state.State;
import java.io.ByteArrayInputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AuthenticateOidcActionConditionalBehaviorEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AuthenticateOidcActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Certificate;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleCondition;

/** What ELB says of actions that authenticate, and that they take effect. */
class OidcActionsTest extends ElbV2World {

  private static final String SECRET = "an-unlikely-secret";

  private LoadBalancer balancer;
  private String certificate;
  private int port;

  @BeforeEach
  void begin() {
    balancer = machine.balancer("web");
    certificate =
        machine.acm().requestCertificate(r -> r.domainName(balancer.dnsName())).certificateArn();
    port = freePort();
  }

  private static Action oidc(Consumer<AuthenticateOidcActionConfig.Builder> more) {
    return Action.builder()
        .type("authenticate-oidc")
        .order(1)
        .authenticateOidcConfig(c ->
            c.issuer("https://id.example.com")
                .authorizationEndpoint("https://id.example.com/authorize?tenant=1")
                .tokenEndpoint("https://id.example.com/token")
                .userInfoEndpoint("https://id.example.com/userinfo")
                .clientId("me")
                .clientSecret(SECRET)
                .applyMutation(more))
        .build();
  }

  private static Action then() {
    return Machine.says("private").toBuilder().order(2).build();
  }

  private Listener https(Action... actions) {
    return elb.createListener(r ->
            r.loadBalancerArn(balancer.loadBalancerArn())
                .protocol("HTTPS")
                .port(port)
                .certificates(Certificate.builder().certificateArn(certificate).build())
                .defaultActions(actions))
        .listeners()
        .getFirst();
  }

  private Rule rule(Listener listener, Action... actions) {
    return elb.createRule(r ->
            r.listenerArn(listener.listenerArn())
                .priority(7)
                .conditions(
                    RuleCondition.builder().field("path-pattern").values("/private/*").build())
                .actions(actions))
        .rules()
        .getFirst();
  }

  private String ask(String path) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry(
        "region",
        CertificateFactory.getInstance("X.509")
            .generateCertificate(
                new ByteArrayInputStream(Files.readAllBytes(directory.resolve("authority.pem")))));
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    String name = balancer.dnsName();
    try (SSLSocket socket =
        (SSLSocket)
            context
                .getSocketFactory()
                .createSocket(new Socket("127.0.0.1", port), name, port, true)) {
      socket.setSoTimeout(20_000);
      socket
          .getOutputStream()
          .write(
              ("GET " + path + " HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  private boolean isSentToTheProvider() throws Exception {
    try {
      return ask("/private/x").contains("\r\nLocation: https://id.example.com/");
    } catch (ConnectException e) {
      return false; // the listener is not open yet
    }
  }

  private static void refused(String message, Runnable call) {
    ElasticLoadBalancingV2Exception e =
        assertThrows(ElasticLoadBalancingV2Exception.class, call::run);
    contains(e.awsErrorDetails().errorMessage(), message);
    assertFalse(e.getMessage().contains(SECRET), e.getMessage());
  }

  @Test
  void whoIsNotLoggedInIsSentToTheProvider() throws Exception {
    Listener listener = https(Machine.says("public"));
    rule(listener, then(), oidc(c -> {}));
    contains(ask("/"), "public");
    String sent = ask("/private/x");
    assertTrue(sent.startsWith("HTTP/1.1 302 "), sent);
    contains(sent, "\r\nLocation: https://id.example.com/authorize?tenant=1&client_id=me&");
    contains(sent, "\r\nSet-Cookie: AWSALBAuthNonce=");
    assertTrue(ask("/oauth2/idpresponse?code=1").startsWith("HTTP/1.1 401 "));
    // After a restart, too.
    machine.restart();
    elb = machine.elb();
    machine.active(balancer.loadBalancerArn());
    Machine.until(true, this::isSentToTheProvider);
  }

  @Test
  void aSecretIsNeverTold() throws Exception {
    Listener listener = https(oidc(c -> {}), then());
    Rule rule = rule(listener, oidc(c -> c.sessionTimeout(5L)), then());
    List<Action> told =
        List.of(
            listener.defaultActions().getFirst(),
            rule.actions().getFirst(),
            elb.describeRules(r -> r.ruleArns(rule.ruleArn()))
                .rules()
                .getFirst()
                .actions()
                .getFirst(),
            elb.describeListeners(r -> r.listenerArns(listener.listenerArn()))
                .listeners()
                .getFirst()
                .defaultActions()
                .getFirst());
    for (Action action : told) {
      assertNull(action.authenticateOidcConfig().clientSecret());
    }
    AuthenticateOidcActionConfig completed = told.getFirst().authenticateOidcConfig();
    assertEquals("AWSELBAuthSessionCookie", completed.sessionCookieName());
    assertEquals(604_800, completed.sessionTimeout());
    assertEquals("openid", completed.scope());
    assertEquals(
        AuthenticateOidcActionConditionalBehaviorEnum.AUTHENTICATE,
        completed.onUnauthenticatedRequest());
    assertEquals(5, told.get(2).authenticateOidcConfig().sessionTimeout());

    Action kept = oidc(c -> c.clientSecret(null).useExistingClientSecret(true));
    Action denies =
        oidc(c ->
            c.clientSecret(null).useExistingClientSecret(true).onUnauthenticatedRequest("deny"));
    elb.modifyListener(r -> r.listenerArn(listener.listenerArn()).defaultActions(denies, then()));
    elb.modifyRule(r -> r.ruleArn(rule.ruleArn()).actions(kept, then()));
    assertTrue(ask("/").startsWith("HTTP/1.1 401 "));
    // Without the action the secret is forgotten.
    elb.modifyRule(r -> r.ruleArn(rule.ruleArn()).actions(Machine.says("all")));
    refused(
        "no existing client secret",
        () -> elb.modifyRule(r -> r.ruleArn(rule.ruleArn()).actions(kept, then())));
    var store = machine.store.in(Machine.HOME.storeScope());
    assertEquals(1, store.read(tx -> tx.list(State.CLIENT_SECRETS)).size());
    elb.deleteListener(r -> r.listenerArn(listener.listenerArn()));
    assertEquals(0, store.read(tx -> tx.list(State.CLIENT_SECRETS)).size());
  }

  @Test
  void whatCannotBeDoneIsRefused() {
    refused(
        "supported only on HTTPS listeners",
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(balancer.loadBalancerArn())
                    .protocol("HTTP")
                    .port(port)
                    .defaultActions(oidc(c -> {}), then())));
    for (Action wrong :
        List.of(
            oidc(c -> c.tokenEndpoint("http://id.example.com/token")),
            oidc(c -> c.tokenEndpoint("https:///token")),
            oidc(c -> c.userInfoEndpoint("https://a:b@id.example.com/")),
            oidc(c -> c.issuer("id.example.com")))) {
      refused("with the HTTPS protocol", () -> https(wrong, then()));
    }
    refused(
        "client secret must be specified", () -> https(oidc(c -> c.clientSecret(null)), then()));
    refused(
        "no existing",
        () -> https(oidc(c -> c.clientSecret(null).useExistingClientSecret(true)), then()));
    refused(
        "both 'ClientSecret' and", () -> https(oidc(c -> c.useExistingClientSecret(true)), then()));
    refused("range 1-604800", () -> https(oidc(c -> c.sessionTimeout(604_801L)), then()));
    refused("cookie name", () -> https(oidc(c -> c.sessionCookieName("a b")), then()));
    refused(
        "must be deny, allow", () -> https(oidc(c -> c.onUnauthenticatedRequest("maybe")), then()));
    refused(
        "extra parameter",
        () -> https(oidc(c -> c.authenticationRequestExtraParams(Map.of("a&b", "c"))), then()));
    refused("it must be the last one", () -> https(oidc(c -> {})));
    refused(
        "it must be the last one", () -> https(oidc(c -> {}).toBuilder().order(3).build(), then()));
    refused(
        "order in the range", () -> https(oidc(c -> {}).toBuilder().order(null).build(), then()));
    refused("specified twice", () -> https(oidc(c -> {}).toBuilder().order(2).build(), then()));
    for (String other : List.of("authenticate-cognito", "jwt-validation")) {
      refused(
          "'" + other + "' are not supported",
          () -> https(Action.builder().type(other).order(1).build(), then()));
    }
    Listener listener = https(oidc(c -> {}), then());
    refused(
        "supported only on HTTPS listeners",
        () -> elb.modifyListener(r -> r.listenerArn(listener.listenerArn()).protocol("HTTP")));
  }
}
